from django.urls import path

from members.views import help as pages

urlpatterns = [
    path("", pages.help_contents, name="help"),
    path("<slug:slug>/", pages.help_article, name="help_article"),
]
