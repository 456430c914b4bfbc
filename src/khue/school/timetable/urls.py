"""Addresses of the timetable."""

from django.urls import path

from khue.school.timetable.views import boards, covers, days, planning

app_name = "timetable"

urlpatterns = [
    path("thoi-khoa-bieu/", planning.index, name="index"),
    path("thoi-khoa-bieu/chuan-bi/", planning.checklist, name="checklist"),
    path("thoi-khoa-bieu/khung-tuan/", planning.week, name="week"),
    path("thoi-khoa-bieu/phong/", planning.rooms, name="rooms"),
    path("thoi-khoa-bieu/phong/<uuid:uid>/", planning.room, name="room"),
    path("thoi-khoa-bieu/yeu-cau/", planning.rules, name="rules"),
    path("thoi-khoa-bieu/yeu-cau/thuong-dung/", planning.usual_rules, name="usual-rules"),
    path("thoi-khoa-bieu/yeu-cau/moi/<slug:kind>/", planning.new_rule, name="new-rule"),
    path("thoi-khoa-bieu/yeu-cau/<uuid:uid>/", planning.rule, name="rule"),
    path("thoi-khoa-bieu/yeu-cau/<uuid:uid>/bo/", planning.drop_rule, name="drop-rule"),
    path("thoi-khoa-bieu/yeu-cau/<uuid:uid>/noi/", planning.relax_rule, name="relax-rule"),
    path("thoi-khoa-bieu/ban-moi/", planning.draft, name="draft"),
    path("thoi-khoa-bieu/ban/<uuid:uid>/", boards.board, name="board"),
    path("thoi-khoa-bieu/ban/<uuid:uid>/toan-truong/", boards.whole, name="whole"),
    path("thoi-khoa-bieu/ban/<uuid:uid>/chuyen/", boards.move, name="move"),
    path("thoi-khoa-bieu/ban/<uuid:uid>/ghim/", boards.pin, name="pin"),
    path("thoi-khoa-bieu/ban/<uuid:uid>/hoan-tac/", boards.undo, name="undo"),
    path("thoi-khoa-bieu/ban/<uuid:uid>/lay-lai/", boards.refresh, name="refresh"),
    path("thoi-khoa-bieu/ban/<uuid:uid>/xep/", boards.solve, name="solve"),
    path("thoi-khoa-bieu/ban/<uuid:uid>/dieu-chua-dat/", boards.broken, name="broken"),
    path("thoi-khoa-bieu/ban/<uuid:uid>/so-sanh/", boards.compare, name="compare"),
    path("thoi-khoa-bieu/ban/<uuid:uid>/doi-cho/", boards.chains, name="chains"),
    path("thoi-khoa-bieu/ban/<uuid:uid>/cong-bo/", boards.publish, name="publish"),
    path("thoi-khoa-bieu/ban/<uuid:uid>/in/<slug:by>.<slug:kind>", days.sheets, name="sheets"),
    path("thoi-khoa-bieu/day-thay/", covers.absences, name="absences"),
    path("thoi-khoa-bieu/day-thay/<uuid:uid>/", covers.absence, name="absence"),
    path("thoi-khoa-bieu/day-thay/<uuid:uid>/rut/", covers.withdraw, name="withdraw"),
    path("ngay-cua-toi/", days.my_day, name="my-day"),
    path("thoi-khoa-bieu/lich/", days.links, name="links"),
    path("thoi-khoa-bieu/lich/<uuid:uid>/dong/", days.close_link, name="close-link"),
    path("lich/<slug:token>.ics", days.feed, name="feed"),
]
