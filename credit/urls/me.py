from django.urls import path

from credit.views import idle_credit, statements

app_name = "my_credit"

urlpatterns = [
    path("<slug:slug>/", statements.my_statement, name="statement"),
    path("<slug:slug>/export.csv", statements.my_statement_export, name="export"),
    path("<slug:slug>/reactivate/", idle_credit.my_credit_reactivate, name="reactivate"),
]
