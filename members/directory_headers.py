"""What the columns of a company's directory are called, in the programs and languages that export them."""

import re
from functools import lru_cache

from members.folding import fold

# For each field, groups of names from the most to the least telling: when several columns could be meant, the
# one of the earlier group is.
_NAMES: dict[str, tuple[str, ...]] = {
    "email": (
        """
        email | mail | email address | mail address | e-mail 1 - value | primary email | primary e-mail address
        primary smtp address | smtp address | work email | work email address | business email | company email
        business email address | corporate email | contact email | user email | member email | employee email
        email id | email 1 | electronic mail | internet address | profile.email | emails | mails
        adresse e-mail | adresse mail | adresse électronique | adresse de messagerie | mél | messagerie
        adresse courriel | adresse de courriel | courriel | courrier électronique
        adresse de courrier électronique | e-mail professionnel | adresse e-mail professionnelle
        messagerie électronique | adresse de messagerie électronique | adresses e-mail | mail professionnel
        mail pro | adresse mail professionnelle | adresse électronique professionnelle | e-post | e-postadress
        mejl | mejladress | mailadress | e-mailadress | e-post arbete | e-mailadresse | mailadresse
        e-postadresse | epost jobb | arbejdsmail | sähköposti | sähköpostiosoite | s-posti | meili
        geschäftliche e-mail | dienstliche e-mail | e-mail geschäftlich | e-mail dienstlich
        e-mail-adresse geschäftlich | elektronische post | e-mailadres | mailadres | zakelijk e-mailadres
        zakelijke e-mail | correo | correo electrónico | dirección de correo electrónico | dirección de correo
        correo corporativo | dirección de e-mail | dirección email | e-mail corporativo
        correo electrónico corporativo | correio eletrónico | endereço de e-mail
        endereço de correio eletrónico | endereço eletrônico | endereço e-mail | posta elettronica
        indirizzo e-mail | indirizzo mail | indirizzo di posta elettronica | e-mail aziendale
        indirizzo di posta | indirizzo posta elettronica | adres e-mail | adres mailowy
        adres poczty elektronicznej | poczta elektroniczna | e-mail służbowy | służbowy adres e-mail
        """,
        """
        user principal name | upn
        """,
    ),
    "skype_name": (
        """
        skype name | skype id | skype | pseudo skype | nom skype | identifiant skype | skype-namn | skypenaam
        nombre de skype | usuario de skype | nome skype | nome de skype | skypenavn | skype-nimi | nazwa skype
        """,
        """
        user name | login | login name | logon | logon name | user logon name | sam account name | uid
        user login | login id | user account | nom d'utilisateur | nom utilisateur | utilisateur | identifiant
        pseudo | pseudonyme | nom de connexion | identifiant de connexion | nom de compte | compte utilisateur
        användarnamn | inloggningsnamn | kontonamn | användare | brugernavn | brukernavn | bruker | bruger
        käyttäjätunnus | käyttäjänimi | käyttäjä | benutzername | benutzer | benutzerkennung | nutzername
        anmeldename | kontoname | gebruikersnaam | gebruiker | inlognaam | accountnaam | nombre de usuario
        usuario | nombre usuario | nome utente | utente | nome de usuário | nome de utilizador | utilizador
        nazwa użytkownika | użytkownik
        """,
        """
        alias | mail nickname | nickname | nick | user id | screen name | user | kennung | account
        account name
        """,
    ),
    "first_name": (
        """
        preferred first name | known as | prénom usuel | tilltalsnamn | rufname | roepnaam
        """,
        """
        first name | given name | forename | first | user.firstName | christian name | prénom | prénoms
        förnamn | fornavn | etunimi | vorname | vornamen | voornaam | voornamen | nombre de pila | nombres
        primer nombre | primeiro nome | nome próprio | nome di battesimo | imię | imiona
        """,
    ),
    "last_name": (
        """
        preferred last name | nom usuel | nom d'usage
        """,
        """
        last name | surname | family name | sn | last | user.lastName | nom de famille | efternamn | efternavn
        etternavn | sukunimi | nachname | familienname | zuname | achternaam | familienaam | apellido
        apellidos | primer apellido | apelido | apelidos | sobrenome | último nome | cognome | nazwisko
        """,
        """
        maiden name | birth name | nom de naissance | nom patronymique | nom de jeune fille
        """,
    ),
    "display_name": (
        """
        full name | real name | complete name | employee name | first and last name | first name and last name
        nom complet | prénom et nom | prénom nom | prénom et nom de famille | fullständigt namn | fulde navn
        för- och efternamn | förnamn och efternamn | fullt navn | fullt namn | for- og efternavn
        for- og etternavn | koko nimi | vollständiger name | vor- und nachname | vorname und nachname
        vorname nachname | volledige naam | nombre completo | nombre y apellidos | nombre y apellido
        nome completo | nome e cognome | nome e sobrenome | nome e apelido | imię i nazwisko
        """,
        """
        display name | common name | cn | user.displayName | contact name | nom affiché | nom d'affichage
        visningsnamn | visningsnavn | näyttönimi | anzeigename | weergavenaam | nombre para mostrar
        nome visualizzato | nome de exibição | nome a apresentar | nazwa wyświetlana
        """,
    ),
    "reversed_name": (
        """
        nom et prénom | nom prénom | noms et prénoms | nom et prénoms | last name first name | name vorname
        nachname vorname | cognome e nome | cognome nome | apellidos y nombre | apellidos nombre
        nazwisko i imię | efternamn förnamn
        """,
    ),
    # The last name beside a first name, the first name beside a last name, the whole name alone.
    "name": (
        """
        name | nom | namn | navn | naam | nome | nombre | nimi | noms
        """,
    ),
    "job_title": (
        """
        job title | title of job | employee title | work title | job position | position title | job function
        user.jobTitle | intitulé du poste | intitulé de poste | titre du poste | poste | fonction
        poste occupé | befattning | yrkestitel | jobbtitel | arbetstitel | tjänstetitel | jobtitel | stillingsbetegnelse
        stilling | stillingstittel | jobbtittel | ammattinimike | tehtävänimike | stellenbezeichnung
        berufsbezeichnung | positionsbezeichnung | functie | functietitel | functienaam | cargo | puesto
        puesto de trabajo | posizione lavorativa | mansione | qualifica | stanowisko | nazwa stanowiska
        """,
        """
        title | position | titel | tittel | titteli | função | posizione | funktion | función
        """,
    ),
    "department": (
        """
        department | dept | department name | user.department | organization department | departement | service
        nom du service | avdelning | afdeling | avdeling | osasto | abteilung | departamento | dipartimento
        reparto | dział | departament | setor
        """,
        """
        division | team | unit | business unit | direction | équipe | unité | enhet | enhed | yksikkö | bereich
        equipo | ufficio | settore | área | sección | zespół | pôle
        """,
        """
        org unit path | organizational unit | organisational unit | ou | unité d'organisation
        organisationsenhet | organisationseinheit
        """,
    ),
    "language": (
        """
        preferred language | user.preferredLanguage | language preference | langue préférée | langue de préférence
        langue de correspondance | önskat språk | föredraget språk | bevorzugte sprache | korrespondenzsprache
        voorkeurstaal | idioma preferido | idioma preferencial | lingua preferita | preferowany język
        foretrukket sprog | foretrukket språk
        """,
        """
        language | langue | språk | sprog | kieli | sprache | taal | idioma | língua | lingua | język
        """,
        """
        language code | user language | display language | lang | code langue | code de langue | langue d'affichage
        språkkod | visningsspråk | sprachcode | taalcode
        """,
        """
        locale | paramètres régionaux
        """,
    ),
}
_PASSWORD = re.compile(
    "passw|passwd|pwd|kennwort|motdepasse|motspasse|losenord|losen$|wachtwoord|contrasen|haslo|senha|salasana|adgangskode"
    "|passord|palavrapasse|palavrachave|parola|passphrase|codesecret"
)
_REQUIREMENT = (
    "required|optional|mandatory|upload only|requise?|obligatoire|facultati(?:f|ve)|optionnel(?:le)?|obligatoris[ck]t?|"
    "valfritt?|kravs|pflichtfeld|pflicht|erforderlich|freiwillig|obligatori[oa]|opcional|verplicht|optioneel|"
    "obbligatori[oa]|facoltativ[oa]|pakollinen|valinnainen|pakraevet|pakrevd|valgfri|valgfritt|wymagan[ey]|opcjonalny"
)
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_REQUIRED_IN_PARENTHESES = re.compile(rf"\(\s*(?:{_REQUIREMENT})\s*\)")
_REQUIRED_AT_END = re.compile(rf"[\s:-]+(?:{_REQUIREMENT})$")
# A word for mail in a name that is otherwise unknown, and words by which such a column is somebody else's.
_ABOUT_MAIL = re.compile("mail|epost|courriel|messagerie|correo|correio|posta|poczt|sahkoposti|mejl|почт|адрес")
_NOT_THEIR_OWN = re.compile(
    "recover|second|altern|other|autre|andra|andere|otro|outro|private|privat|prive|person|home|domicil|manager|superv"
    "|boss|chef|chief|responsab|superior|superieur|vorgesetzt|approver|assistant|parent|guardian|secours|recuper|ersatz"
    "|gerente|jefe|leid|ater|backup|forward|reply|postadress|postnum|postal|postcode|postort|status|verif"
)


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


def _table() -> dict[str, tuple[str, int]]:
    table: dict[str, tuple[str, int]] = {}
    for field, groups in _NAMES.items():
        for rank, names in enumerate(groups):
            for name in re.split(r"[|\n]", names.strip()):
                table[_key(fold(name))] = (field, rank)
    return table


_TABLE = _table()


@lru_cache(maxsize=4_096)
def look_up(header: str) -> tuple[str, int] | None:
    """The field a column of this name holds and how telling the name is (0 first), or None when it is unknown.

    Case, accents, spaces and punctuation don't count; ``[Required]`` and ``(obligatoire)`` are left out, and the
    attribute that Entra puts in brackets goes before its translated name.
    """
    text = fold(header[:200])
    for attribute in _BRACKETS.findall(text):
        if found := _TABLE.get(_key(attribute)):
            return found
    text = _REQUIRED_IN_PARENTHESES.sub(" ", _BRACKETS.sub(" ", text)).strip(" *:")
    return _TABLE.get(_key(_REQUIRED_AT_END.sub("", text)))


def same_name(one: str, other: str) -> bool:
    """Whether two columns are called the same, however it is written."""
    return _key(fold(one[:200])) == _key(fold(other[:200]))


def is_password(header: str) -> bool:
    """Whether a column of this name holds passwords, or something about them."""
    return _PASSWORD.search(_key(fold(header[:200]))) is not None


def may_hold_address(header: str) -> bool:
    """Whether a name that ``look_up`` doesn't know speaks of mail, and not of somebody else's or a second one."""
    key = _key(fold(header[:200]))
    return _ABOUT_MAIL.search(key) is not None and _NOT_THEIR_OWN.search(key) is None


def is_somebody_elses(header: str) -> bool:
    """Whether a column of this name holds another address than the person's own."""
    return _NOT_THEIR_OWN.search(_key(fold(header[:200]))) is not None
