import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.directory import (
    FIELDS,
    TEXTS,
    DirectoryFile,
    UnclearColumns,
    describe,
    describe_column,
    open_directory,
)
from members.directory_headers import look_up
from skypemgr.csv_files import UnreadableFile, write_csv_rows

FILES = Path(__file__).parent.parent / "data" / "directories"
PEOPLE = [
    ("gillian.garner@architectes.example", "gillian.garner", "Gillian", "Garner", "Administration"),
    ("ebba.naslund@architectes.example", "ebba_näslund", "Ebba", "Näslund", "Direction"),
    ("louise.seguin@architectes.example", "", "Louise", "Séguin", "Études"),
    ("bjorn.akesson@architectes.example", "björn", "Björn", "Åkesson", "Études"),
]


def text_of(rows, *, delimiter=",", line_end="\r\n"):
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    return buffer.getvalue()


def opened(text: str, codec="utf-8", **options) -> DirectoryFile:
    return open_directory(io.BytesIO(text.encode(codec)), **options)


def people(text: str, codec="utf-8") -> list[tuple[str, ...]]:
    fields = [field for field in FIELDS if field not in ("job_title", "language")]
    return [tuple(row.values[field] for field in fields) for row in opened(text, codec).rows()]


def person(header: str, cells: str) -> dict[str, str]:
    """The one person of a file, what is empty left out."""
    (row,) = opened(f"{header}\r\n{cells}\r\n").rows()
    return {field: value for field, value in row.values.items() if value}


def ignored(text: str) -> dict[str, str]:
    return {describe_column(column): column["reason"] for column in opened(text).facts.as_json()["ignored"]}


def refusal(text: str) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as caught:
        opened(text)
    return caught.value


# The files of directories


@pytest.mark.parametrize(
    ("name", "encoding", "delimiter", "used", "ignored"),
    [
        (
            "active-directory-export-csv-utf16.csv",
            "UTF-16",
            ",",
            {
                "email": "EmailAddress",
                "skype_name": "SamAccountName",
                "first_name": "GivenName",
                "last_name": "Surname",
                "department": "Department",
            },
            {"Enabled": "ignored"},
        ),
        (
            "entra-bulk-users.csv",
            "UTF-8",
            ",",
            {
                "email": "User name [userPrincipalName] Required",
                "first_name": "First name [givenName]",
                "last_name": "Last name [surname]",
                "job_title": "Job title [jobTitle]",
                "department": "Department [department]",
                "display_name": "Name [displayName] Required",
            },
            {
                "Initial password [passwordProfile] Required": "password_never_used",
                "Block sign in (Yes/No) [accountEnabled] Required": "ignored",
                "Usage location [usageLocation]": "ignored",
            },
        ),
        (
            "excel-fr-windows-1252-semicolon.csv",
            "Windows-1252",
            ";",
            {
                "email": "Adresse e-mail",
                "skype_name": "Nom d'utilisateur",
                "first_name": "Prénom",
                "last_name": "Nom",
                "department": "Service",
            },
            {},
        ),
        (
            "google-workspace-users.csv",
            "UTF-8",
            ",",
            {
                "email": "Email Address [Required]",
                "first_name": "First Name [Required]",
                "last_name": "Last Name [Required]",
                "department": "Department",
            },
            {
                "Password [Required]": "password_never_used",
                "Password Hash Function [UPLOAD ONLY]": "password_never_used",
                "Org Unit Path [Required]": "secondary",
                "Recovery Email": "ignored",
            },
        ),
        (
            "seed-format-fr.csv",
            "UTF-8",
            ",",
            {"email": "Adresse e-mail", "skype_name": "Nom d'utilisateur"},
            {},
        ),
    ],
)
def test_the_exports_of_usual_directories_are_understood(name, encoding, delimiter, used, ignored):
    file = open_directory(FILES / name)
    facts = file.facts.as_json()
    rows = list(file.rows())

    assert (facts["encoding"], facts["delimiter"], facts["rows"]) == (encoding, delimiter, 48)
    assert {field: columns[0]["name"] for field, columns in facts["columns"].items()} == used
    assert {column["name"]: column["reason"] for column in facts["ignored"]} == ignored
    assert [row.number for row in rows] == list(range(1, 49))
    assert all(row.values["email"].endswith("@architectes.example") for row in rows)
    assert not any(row.problems or row.notes for row in rows)
    if "last_name" in used:
        second = rows[1].values
        assert (second["first_name"], second["last_name"], second["department"]) == ("Ebba", "Näslund", "Direction")
    assert json.loads(json.dumps(facts)) == facts


def test_a_messy_file_gives_every_row_as_it_is():
    file = open_directory(FILES / "messy.csv")
    rows = {row.number: row for row in file.rows()}

    assert len(rows) == file.facts.reading.rows == 14
    assert {number: row.values["email"] for number, row in rows.items()} == {
        1: "anna.berg@example.com",
        2: "ANNA.BERG@EXAMPLE.COM",
        3: "lars.olsson@example.com",
        4: "not-an-address",
        5: "Zoë Brontë <zoe.bronte@example.com>",
        6: "josé@exämple.example",
        7: "=cmd|'/c calc'!A1@example.com",
        8: "two@lines.example",
        9: f"{'a' * 65}@example.com",
        10: "short@example.com",
        11: "digits@example.com",
        12: "rtl@example.com",
        13: "extra@example.com",
        14: "missing@example.com",
    }
    assert rows[8].values["first_name"] == "Two\nLines"
    assert rows[7].values["first_name"] == '=HYPERLINK("x")'
    assert rows[13].notes == [{"code": "row_more_cells", "facts": {"count": 2}}]
    assert rows[13].values["department"] == "Ventes"
    assert rows[14].values == dict.fromkeys(FIELDS, "") | {"email": "missing@example.com"}
    assert not any(row.problems for row in rows.values())


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac-roman", "cp850"]
)
@pytest.mark.parametrize("header", [("Courriel", "Identifiant", "Prénom", "Nom", "Service"), None])
def test_other_encodings_delimiters_line_ends_and_headers_give_the_same_people(header, codec, delimiter, line_end):
    text = text_of([*([header] if header else []), *PEOPLE], delimiter=delimiter, line_end=line_end)

    read = people(text, codec)

    assert read == (PEOPLE if header else [(email, "", "", "", "") for email, *_others in PEOPLE])


@pytest.mark.parametrize(
    "header",
    [
        "email,user name,first name,last name,department",
        "E-Mail Address,Login,Given Name,Surname,Dept.",
        "  EMAIL ADDRESS ,USERNAME,FIRST_NAME,LAST_NAME,DEPARTMENT",
        "mail,uid,givenName,sn,department",
        "EmailAddress,SamAccountName,GivenName,Surname,Department",
        "user.email,user.login,user.firstName,user.lastName,user.department",
        "Email (required),User name (optional),First name*,Last name*,Department",
        "Work Email,Skype Name,Forename,Family name,Department name",
        "email,skype_name,first_name,last_name,department",
        "Adresse e-mail,Nom d'utilisateur,Prénom,Nom,Service",
        "Adresse e-mail (obligatoire),Nom d’utilisateur (facultatif),Prénom,Nom de famille,Département",
        "Courriel,Pseudo Skype,PRENOM,NOM,SERVICE",
        "Mél,Identifiant,Prénom,Nom usuel,Service",
        "Adresse de messagerie,Utilisateur,Prénom,NOM DE FAMILLE,Direction",
        "E-postadress,Användarnamn,Förnamn,Efternamn,Avdelning",
        "E-post,Inloggningsnamn,Tilltalsnamn,Efternamn,Enhet",
        "Mejl,Skype-namn,Förnamn,Namn,Avdelning",
        "E-Mail-Adresse,Benutzername,Vorname,Nachname,Abteilung",
        "E-Mail,Anmeldename,Vorname,Name,Abteilung",
        "E-mailadres,Gebruikersnaam,Voornaam,Achternaam,Afdeling",
        "Correo electrónico,Nombre de usuario,Nombre,Apellidos,Departamento",
        "Indirizzo e-mail,Nome utente,Nome,Cognome,Reparto",
        "E-mailadresse,Brugernavn,Fornavn,Efternavn,Afdeling",
        "E-postadresse,Brukernavn,Fornavn,Etternavn,Avdeling",
        "Sähköpostiosoite,Käyttäjätunnus,Etunimi,Sukunimi,Osasto",
        "Adres e-mail,Nazwa użytkownika,Imię,Nazwisko,Dział",
        "Endereço de e-mail,Nome de utilizador,Nome,Apelido,Departamento",
        "E-mail,Nome de usuário,Nome,Sobrenome,Setor",
    ],
)
def test_columns_are_known_by_their_names_in_many_languages(header):
    names = header.split(",")

    assert people(text_of([names, *PEOPLE])) == PEOPLE
    reordered = text_of([names[::-1], *(row[::-1] for row in PEOPLE)], delimiter=";")
    assert people(reordered) == PEOPLE


@pytest.mark.parametrize(
    "header",
    [
        "Job title",
        "Title",
        "Job title [jobTitle]",
        "user.jobTitle",
        "Fonction",
        "Intitulé du poste",
        "Befattning",
        "Titel",
    ],
)
def test_job_titles_are_known_by_their_names(header):
    (row,) = opened(f"E-mail,{header}\r\nanna@people.example,Pilot\r\n").rows()

    assert row.values["job_title"] == "Pilot"


def test_of_two_columns_a_job_title_counts_before_a_title():
    assert person("E-mail,Title,Job title", "anna@people.example,Dr,Pilot")["job_title"] == "Pilot"


@pytest.mark.parametrize(
    "header",
    ["Language", "Langue", "Språk", "Sprache", "Preferred language", "preferredLanguage", "Langue préférée", "Locale"],
)
def test_languages_are_known_by_their_names(header):
    assert person(f"E-mail,{header}", "anna@people.example,fr-FR")["language"] == "fr-FR"


def test_where_somebody_uses_something_is_not_their_language():
    assert "language" not in person("E-mail,Usage location", "anna@people.example,FR")


# Which column counts


@pytest.mark.parametrize(
    "header", ["Recovery Email", "Secondary e-mail", "Manager Email", "Private E-Mail", "Autre adresse e-mail"]
)
def test_another_address_of_a_person_or_of_another_is_never_taken(header):
    assert person(f"Email,{header}", "a@x.example,b@x.example") == {"email": "a@x.example"}
    assert person(f"{header},Email", "b@x.example,a@x.example") == {"email": "a@x.example"}
    assert refusal(f"First name,{header}\r\nAnna,b@x.example\r\n").code == "column_email_missing"
    assert refusal(f"Foo,{header}\r\nAnna,b@x.example\r\n").code == "column_email_missing"


@pytest.mark.parametrize(
    "header",
    [
        "Password",
        "Initial password [passwordProfile] Required",
        "PasswordLastSet",
        "pwd",
        "Mot de passe",
        "Mot-de-passe",
        "Lösenord",
        "Kennwort",
        "Passwort",
        "Wachtwoord",
        "Contraseña",
        "Hasło",
        "Senha",
        "Adgangskode",
        "Salasana",
    ],
)
def test_a_password_is_never_used(header):
    text = f"Email,{header}\r\na@x.example,correct horse\r\n"

    assert person(f"Email,{header}", "a@x.example,correct horse") == {"email": "a@x.example"}
    assert ignored(text) == {header: "password_never_used"}
    assert describe("password_never_used", {}) == "passwords are never used"


def test_columns_that_would_give_rights_or_money_are_ignored_and_named():
    header = "email,company_id,role,is_staff,balance"

    assert person(header, "a@x.example,7,owner,1,1000") == {"email": "a@x.example"}
    assert ignored(f"{header}\r\na@x.example,7,owner,1,1000\r\n") == dict.fromkeys(header.split(",")[1:], "ignored")


def test_a_principal_name_stands_in_where_there_is_no_address():
    rows = list(
        opened(
            "userPrincipalName,displayName,mail\r\n"
            "anna@corp.example,Anna Berg,anna.berg@x.example\r\n"
            "lars@corp.example,Lars Olsson,\r\n"
            "guest_x.example#EXT#@corp.example,Guest,\r\n"
        ).rows()
    )

    assert [row.values["email"] for row in rows] == ["anna.berg@x.example", "lars@corp.example", ""]


def test_a_principal_name_that_is_no_address_is_a_user_name():
    assert person("Email,UPN", "a@x.example,anna.berg") == {"email": "a@x.example", "skype_name": "anna.berg"}


def test_a_user_name_column_full_of_addresses_is_the_address():
    assert person("User name,First name", "a@x.example,Anna") == {"email": "a@x.example", "first_name": "Anna"}


def test_a_skype_name_goes_before_a_user_name():
    header = "Email,User name,Skype Name"

    assert person(header, "a@x.example,corp7,anna.berg") == {"email": "a@x.example", "skype_name": "anna.berg"}
    assert ignored(f"{header}\r\na@x.example,corp7,anna.berg\r\n") == {"User name": "secondary"}


def test_the_unit_path_is_the_department_only_without_a_department():
    assert person("Email,Org Unit Path [Required]", "a@x.example,/Études/Bois") == {
        "email": "a@x.example",
        "department": "Études / Bois",
    }
    assert person("Email,OU", 'a@x.example,"OU=Bois,OU=Études\\, Lyon,DC=x"')["department"] == "Études, Lyon / Bois"
    assert person("Email,Org Unit Path,Department", "a@x.example,/Bois,") == {"email": "a@x.example"}


@pytest.mark.parametrize(
    ("header", "cells", "first_name", "last_name"),
    [
        ("Email,Name", "a@x.example,Anna Berg", "Anna", "Berg"),
        ("Email,Nom", 'a@x.example,"Berg, Anna"', "Anna", "Berg"),
        ("Email,Display name", "a@x.example,Ludwig van Beethoven", "Ludwig", "van Beethoven"),
        ("Email,Display name,First name,Last name", "a@x.example,Bee,Anna,Berg", "Anna", "Berg"),
        ("Email,Display name,First name,Last name", "a@x.example,Anna Berg,,", "Anna", "Berg"),
        ("Email,Display name,First name,Last name", "a@x.example,Anna Berg,Anna,", "Anna", ""),
        ("Email,Nom et prénom", "a@x.example,Berg Anna Maria", "Anna Maria", "Berg"),
        ("Email,Display name,Full name", "a@x.example,Bee,Anna Berg", "Anna", "Berg"),
        ("Email,Name,First name,Last name", "a@x.example,Bee,Anna,Berg", "Anna", "Berg"),
        ("Email,Nom d'usage,Nom de famille,Prénom", "a@x.example,Berg,Olsson,Anna", "Anna", "Berg"),
        ("Email,Nom d'usage,Nom de famille,Prénom", "a@x.example,,Olsson,Anna", "Anna", "Olsson"),
    ],
)
def test_names_come_from_the_column_that_says_most(header, cells, first_name, last_name):
    found = person(header, cells)

    assert (found.get("first_name", ""), found.get("last_name", "")) == (first_name, last_name)


# What is refused


def test_two_columns_of_one_name_are_refused_with_both():
    problem = refusal("E-mail,Name,email\r\na@x.example,Anna,a@x.example\r\n")

    assert isinstance(problem, UnclearColumns)
    assert str(problem) == "The columns “E-mail” and “email” stand for the same. Remove one of them."


def test_two_columns_for_one_thing_are_fine_while_they_agree():
    header = "EmailAddress,mail,GivenName"

    assert person(header, "a@x.example,A@x.example,Anna") == {"email": "a@x.example", "first_name": "Anna"}
    assert refusal(f"{header}\r\na@x.example,b@x.example,Anna\r\n").code == "column_twice"


def test_of_two_columns_for_one_thing_the_fuller_one_is_read():
    text = "E-mail,Courriel\r\n,a@x.example\r\n,b@x.example\r\nc@x.example,c@x.example\r\n"

    assert [row[0] for row in people(text)] == ["a@x.example", "b@x.example", "c@x.example"]


def test_a_file_without_addresses_is_refused_with_the_columns_it_has():
    problem = refusal("Prénom;Nom;Ville\r\nAnna;Berg;Lyon\r\n")

    assert str(problem) == (
        "No column holds e-mail addresses. The columns are: Prénom, Nom, Ville. Call one of them E-mail."
    )
    assert refusal("Foo,Bar\r\nx,y\r\n").code == "column_email_missing"
    assert refusal("hello\r\nworld").code == "column_email_missing"


@pytest.mark.parametrize("content", [b"", b"Email\r\n", b"PK\x03\x04" + bytes(500), b'Email\r\na@x.example,"\r\n'])
def test_a_file_that_is_no_csv_is_refused_before_its_columns(content):
    with pytest.raises(UnreadableFile) as caught:
        open_directory(io.BytesIO(content))

    assert str(caught.value)


def test_more_rows_than_allowed_are_refused():
    with pytest.raises(UnreadableFile) as caught:
        opened("Email\r\n" + "a@x.example\r\n" * 4, limit_rows=3)

    assert caught.value.code == "file_too_many_rows"


# Without names, or with unknown ones


def test_without_column_names_the_one_column_of_addresses_counts():
    text = "Anna,anna@x.example,Direction\r\nLars,lars@x.example,Service\r\nEva,not-an-address,Mail\r\n" + (
        "Bo,bo@x.example,\r\n" * 5
    )
    file = opened(text)

    assert [row.values["email"] for row in file.rows()][:3] == ["anna@x.example", "lars@x.example", "not-an-address"]
    assert file.facts.reading.header_line == 0
    assert ignored(text) == {"column 1": "ignored", "column 3": "ignored"}


def test_a_single_address_is_a_file():
    assert people("anna@x.example") == [("anna@x.example", "", "", "", "")]
    assert people("Anna Berg <anna@x.example>\r\n")[0][0] == "Anna Berg <anna@x.example>"


def test_without_column_names_two_columns_of_addresses_are_too_many():
    assert refusal("a@x.example,b@x.example\r\nc@x.example,d@x.example\r\n").code == "column_email_unclear"


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "cp1251"])
def test_unknown_column_names_are_not_taken_for_a_person(codec):
    text = "Почта;Имя\r\nanna@x.example;Анна\r\nlars@x.example;Ларс\r\n"
    file = opened(text, codec)

    assert [row.values["email"] for row in file.rows()] == ["anna@x.example", "lars@x.example"]
    assert file.facts.reading.header_line == 1
    assert ignored(text) == {"Имя": "ignored"}


def test_an_unknown_name_that_speaks_of_mail_is_taken_beside_known_ones():
    assert person("Vorname,E-Mail der Mitarbeiter", "Anna,a@x.example") == {
        "email": "a@x.example",
        "first_name": "Anna",
    }


def test_rows_that_only_look_like_column_names_stay_rows():
    assert people("anna@x.example,Direction\r\nlars@x.example,Service\r\n")[0][0] == "anna@x.example"


@pytest.mark.parametrize("header", ["", " ", "?", "x" * 100_000, "Email Opt-in status", "é" * 300])
def test_an_unknown_name_is_unknown(header):
    assert look_up(header) is None


# There and back


def test_rows_that_we_gave_out_can_be_taken_in_again():
    rows = [row.values for row in open_directory(FILES / "messy.csv").rows()]
    header = ["E-mail", "User name", "First name", "Last name", "Job title", "Department", "Why"]
    content = b"".join(write_csv_rows(header, ([*row.values(), "=Because"] for row in rows)))

    again = open_directory(io.BytesIO(content))

    assert [row.values for row in again.rows()] == rows
    assert [column.name for column in again.columns.ignored] == ["Why"]


CELL = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["E-mail", "Nom", "Mail", "a@x.example", "b@x.example", "Password", "", " ", "UPN"]
)


@given(st.lists(st.lists(CELL, min_size=1, max_size=5), min_size=1, max_size=6))
def test_any_table_is_read_or_refused(rows):
    try:
        read = list(opened(text_of(rows)).rows())
    except UnreadableFile as problem:
        assert problem.code in TEXTS
        assert str(problem)
    else:
        assert read
        assert all(tuple(row.values) == FIELDS for row in read)
