import math

from django.utils.translation import gettext_lazy as _

from skypemgr.errors import DomainError


class Refusal(DomainError):
    """A rule with one fixed sentence; subclasses give it as ``text``, with ``{facts}`` in braces."""

    text: object = ""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        for name, value in facts.items():
            setattr(self, name, value)
        super().__init__()

    def __str__(self) -> str:
        return str(self.text).format(**self.facts)


class KeyReused(Refusal):
    text = _("This form was already sent with other values. Open the page again and repeat the change.")


class OrganizationClosed(Refusal):
    text = _("{name} was closed. Nothing of it can be changed any more.")


class ClosingObstructed(Refusal):
    """Something has to end before an organization can be closed; ``problems`` are sentences."""

    problems: list[str]

    def __init__(self, problems: list[str]) -> None:
        super().__init__(problems=problems)

    def __str__(self) -> str:
        return " ".join(self.problems)


class OtherName(Refusal):
    text = _("Type the name as it stands here: {name}")
    field = "name"


class LastAdministrator(Refusal):
    text = _("This is the last administrator. Make somebody else an administrator first.")
    field = "role"


class SetupClosed(Refusal):
    text = _("A new Skype Manager can be set up here only by the people who run this installation.")


class SlugTaken(Refusal):
    text = _("The address “{slug}” is already used. “{free}” is free.")
    field = "slug"


class SlugReserved(Refusal):
    text = _("The address “{slug}” is used by the pages of this site. “{free}” is free.")
    field = "slug"


class SkypeNameTaken(Refusal):
    text = _("The Skype Name {skype_name} is already taken. {free} is free.")
    field = "skype_name"


class AddressTaken(Refusal):
    text = _("Somebody in this organization already has the address {email}.")
    field = "email"


class OwnAddress(Refusal):
    text = _("Change your own address on your page My settings.")
    field = "email"


class DepartmentExists(Refusal):
    text = _("There is already a department “{path}”.")
    field = "name"


class DepartmentTooDeep(Refusal):
    text = _("Departments nest at most {depth} levels deep.")
    field = "parent"


class DepartmentInsideItself(Refusal):
    text = _("A department can’t be put inside itself.")
    field = "parent"


class DepartmentNotEmpty(Refusal):
    text = _("This department still has departments under it. Move or delete them first.")


class StateForbids(Refusal):
    text = _("This can’t be done while the member is in the state “{state}”.")


class InvitationClosed(Refusal):
    """The link is of no use any more; ``reason`` is one of used, canceled, declined, expired, replaced."""

    text = _("This link can’t be used any more.")


class PersonalAccountsRefused(Refusal):
    text = _("This organization takes business accounts only. An administrator can change that in the settings.")


class NoSuchAccount(Refusal):
    text = _("There is no personal account with the Skype Name {skype_name}.")
    field = "addresses"


class AlreadyMember(Refusal):
    text = _("{person} is already a member.")
    field = "addresses"


class AlreadyInvited(Refusal):
    text = _("{person} is already invited. Send the invitation again from the list of invitations.")
    field = "addresses"


class BatchNotOpen(Refusal):
    text = _("This was already carried out or canceled.")


class SelectionChanged(Refusal):
    """Others are chosen than were shown; ``number`` says how many by now."""

    text = _("The list has changed in the meantime. Look at what will happen now, then confirm it again.")
    number: int


class RunImpossible(Refusal):
    """No part of a run over many members can be carried out any more."""

    text = _("This can’t be done any more.")


class InvitationsChanged(RunImpossible):
    text = _(
        "Some of these invitations were answered or changed in the meantime, or an address was taken. No address was"
        " changed."
    )


class DepartmentGone(RunImpossible):
    text = _("The department was deleted in the meantime.")


class DepartmentFilled(RunImpossible):
    text = _("Other departments were put under it in the meantime, so it is not deleted.")


class SameContentAgain(Refusal):
    """The content was applied before; ``batch_id`` says where."""

    text = _("This file was already taken in on {day}. Nothing was done again.")
    field = "file"
    batch_id: int


class RowsNeedCorrection(Refusal):
    text = _("Some rows need a correction first.")


class NoNewAddress(Refusal):
    text = _("No row holds a new address. Nothing was changed.")


class NothingToAdd(Refusal):
    text = _("There is nobody to add: write at least one e-mail address, or choose a file.")
    field = "addresses"


class TooManyRows(Refusal):
    text = _("There are more than {limit} rows. Split the file and take it in in parts.")
    field = "file"


class WrongCredentials(Refusal):
    """One answer for every reason not to let somebody in (decision 9)."""

    text = _("The Skype Name or the password is not right.")
    field = "login"


class TooManyTries(Refusal):
    """``seconds`` say how long nothing is compared."""

    text = _("That was tried too often. Wait {minutes} minutes, then try again.")
    seconds: int

    def __init__(self, *, seconds: int) -> None:
        super().__init__(seconds=seconds, minutes=math.ceil(seconds / 60))


class LockedOut(TooManyTries):
    """So many failures in a row that waiting doesn't help."""

    text = _("That was tried too often. Choose a new password by letter: “Forgotten your password?” below.")


class SessionOver(Exception):
    """The session that somebody acts in ended while they did: there is no form any more to show a refusal on."""


class WrongCode(Refusal):
    text = _("This code is not right. It changes every 30 seconds, and each works once.")
    field = "code"


class PasskeyRefused(Refusal):
    """One answer for every reason why a passkey opens nothing."""

    text = _("This passkey does not open an account here. Try another one, or your password.")


class PasskeysUnavailable(Refusal):
    text = _("Passkeys don’t work at this address.")


class PasskeyNeedsScript(Refusal):
    text = _("Passkeys need JavaScript, which is off in this browser.")


class FactorExists(Refusal):
    text = _("An authenticator app is set up already. Remove it first.")
    field = "code"


class PasskeyExists(Refusal):
    text = _("This passkey is set up already.")


class TooManyPasskeys(Refusal):
    text = _("An account has at most {most} passkeys. Remove one first.")


class PasswordTooShortAlone(Refusal):
    text = _("Without a second factor a password needs {minimum} characters. Choose a longer one first.")
    field = "password"


class OwnSecondFactorFirst(Refusal):
    text = _("Set up a second factor for yourself first.")


class NoSecondFactor(Refusal):
    text = _("There is no second factor to reset.")


class OwnSecondFactor(Refusal):
    text = _("Change your own second factor on your page Security.")


class NotTheirAccount(Refusal):
    text = _(
        "A personal account is its owner’s. They sign in with a recovery code, or ask whoever runs this installation."
    )


class TheirOwnPassword(Refusal):
    text = _("The password of a personal account is its owner’s. They choose a new one where they sign in.")


class WrongPassword(Refusal):
    text = _("This is not your present password.")
    field = "password"


class SamePassword(Refusal):
    text = _("This is the password you signed in with. Choose one that nobody else knows.")
    field = "password"


class LinkDead(Refusal):
    """A link of a letter that was used, is too old, or belongs to an earlier address."""

    text = _("This link can’t be used any more.")


class NotAPersonalAccount(Refusal):
    text = _("Only a personal account can accept this invitation. You are signed in with a business account.")


class MeantForAnother(Refusal):
    text = _("This invitation is for the account {skype_name}. Sign in with it to accept.")


class BusinessAccountStays(Refusal):
    text = _("A business account belongs to its organization and can’t leave it.")


class PersonalAccountStays(Refusal):
    text = _("A personal account belongs to its owner. Only a business account can be handed over.")


class OwnAccount(Refusal):
    text = _("Somebody else has to hand over your account.")


class OwnLeaving(Refusal):
    text = _("Somebody else has to deal with your leaving.")


class PersonalAccountLeaves(Refusal):
    text = _("A personal account belongs to its owner, who leaves by themselves. You can block it out of here.")


class LeavingChanged(Refusal):
    text = _("What this account holds has changed since the page was shown. Look at it again, and confirm then.")


class NotAChoice(Refusal):
    """``choice`` is not among what can be decided about something that somebody leaves behind."""

    text = _("“{choice}” can’t be chosen here.")


class AdministratorNeeded(Refusal):
    text = _("This account ends with its invitation, and holds what your role can’t take back. Ask an administrator.")


class NobodyHasIt(Refusal):
    text = _("Nobody has this account now. Hand it over to whoever is to have it.")


class AddressOfAccount(Refusal):
    text = _(
        "Somebody who was invited by Skype Name gets letters at the address of their account. Only they change it."
    )
    field = "email"


class NoConsentNeeded(Refusal):
    text = _("A business account belongs to its organization, which sees its calls.")


class CannotInvite(Refusal):
    """Nobody was invited; ``problems`` holds a sentence for each entry that stands in the way."""

    field = "people"

    def __init__(self, problems: list[str]) -> None:
        super().__init__()
        self.problems = problems

    def __str__(self) -> str:
        return " ".join(self.problems)


class InvitationNotOpen(Refusal):
    text = _("This invitation was already accepted, declined or canceled.")


class NamesSomebody(Refusal):
    text = _(
        "This looks like an e-mail address, a phone number or the number of an account. Leave it out: nobody’s personal"
        " data belong here. Nothing was stored."
    )
    field = "comment"
