"""Addresses of classes, learners and transfers."""

from django.urls import path

from khue.register.schooling import views

app_name = "schooling"
urlpatterns = [
    path("lop/", views.classes, name="classes"),
    path("lop/moi/", views.new_class, name="new-class"),
    path("lop/<uuid:uid>/", views.class_group, name="class"),
    path("lop/<uuid:uid>/hoc-sinh-moi/", views.new_learner, name="new-learner"),
    path("lop/<uuid:uid>/ma-moi/", views.class_codes, name="class-codes"),
    path("hoc-sinh/<uuid:uid>/", views.learner, name="learner"),
    path("hoc-sinh/<uuid:uid>/phu-huynh/", views.invite_guardian, name="invite-guardian"),
    path("hoc-sinh/<uuid:uid>/chuyen-truong/", views.ask_transfer, name="ask-transfer"),
    path("hoc-sinh/<uuid:uid>/doi-lop/", views.change_class, name="change-class"),
    path("hoc-sinh/<uuid:uid>/roi-truong/", views.leave, name="leave"),
    path("nhu-da-biet/<slug:object_>/<uuid:uid>/", views.as_known, name="as-known"),
    path("don-vi/<uuid:uid>/mo-truong/", views.open_school, name="open-school"),
    path("don-vi/<uuid:uid>/sap-nhap/", views.merge_school, name="merge-school"),
    path("don-vi/ke-hoach-sap-nhap/", views.plans, name="plans"),
    path("don-vi/ke-hoach-sap-nhap/<uuid:uid>/rut/", views.withdraw_plan, name="withdraw-plan"),
    path("don-vi/<uuid:uid>/chia-tach/", views.split_school, name="split-school"),
    path("chuyen-truong/", views.transfers, name="transfers"),
    path("chuyen-truong/tiep-nhan/", views.find_learner, name="find-learner"),
    path("chuyen-truong/<uuid:uid>/", views.transfer, name="transfer"),
]
