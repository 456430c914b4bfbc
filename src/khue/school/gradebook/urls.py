"""Addresses of the gradebook."""

from django.urls import path

from khue.school.gradebook.views import classes, decisions, explain, registers

app_name = "gradebook"

urlpatterns = [
    path("so-diem/", registers.index, name="index"),
    path("so-diem/<uuid:uid>/", registers.register, name="register"),
    path("so-diem/<uuid:uid>/luu/", registers.save, name="save"),
    path("so-diem/<uuid:uid>/hs/<uuid:learner>/", registers.line, name="line"),
    path("so-diem/<uuid:uid>/hs/<uuid:learner>/de-nghi-sua/", classes.ask_correction, name="ask-correction"),
    path("so-diem/<uuid:uid>/hs/<uuid:learner>/mien/", decisions.exempt, name="exempt"),
    path("sua-diem/", classes.corrections, name="corrections"),
    path("sua-diem/<uuid:uid>/kiem-tra/", classes.check_correction, name="check-correction"),
    path("sua-diem/<uuid:uid>/duyet/", classes.decide_correction, name="decide-correction"),
    path("chu-nhiem/", classes.classes, name="classes"),
    path("chu-nhiem/mo-so/", classes.open_registers, name="open-registers"),
    path("chu-nhiem/<uuid:uid>/", classes.homeroom, name="homeroom"),
    path("chu-nhiem/<uuid:uid>/danh-gia/", classes.rate, name="rate"),
    path("chu-nhiem/<uuid:uid>/khoa/", classes.close, name="close"),
    path("chu-nhiem/<uuid:uid>/quyet-dinh/<uuid:learner>/", decisions.decide_year, name="decide-year"),
    path("khoa-nam-hoc/", classes.close_year, name="close-year"),
    path("hoc-sinh/<uuid:uid>/vi-sao/", explain.explain, name="explain"),
    path("diem-danh/", classes.attendance_list, name="attendance-list"),
    path("diem-danh/<uuid:uid>/", classes.attendance, name="attendance"),
]
