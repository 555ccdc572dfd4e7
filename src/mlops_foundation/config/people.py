"""Who uses Studio, from the configuration and from the files of users: everybody once, and with what sign-in needs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlops_foundation.config.studio import DOMAIN_ADMIN_PROFILE, Studio, StudioUser
from mlops_foundation.config.yaml_nodes import Document
from mlops_foundation.core.errors import Problem


@dataclass(frozen=True)
class Listed:
    """A user and where it is listed.

    Attributes:
        user: With the name of the profile.
        person: The name without a file's prefix.
        role: ``data_scientists`` or ``lead_data_scientists``.
        where: File and line.
    """

    user: StudioUser
    person: str
    role: str
    where: str


def configured(studio: Studio, document: Document, file: str) -> Iterator[Listed]:
    """Yield the users of ``mlops.yaml`` itself."""
    for role in ("data_scientists", "lead_data_scientists"):
        for index, each in enumerate(getattr(studio, role)):
            user = each if isinstance(each, StudioUser) else StudioUser(name=each)
            yield Listed(user, user.name, role, f"{file}:{document.line_of(('studio', role, index))}")


def resolved(studio: Studio, listed: Sequence[Listed]) -> Studio:
    """Return the section with the users of the files beside its own."""
    added = {
        role: (*getattr(studio, role), *(each.user for each in listed if each.role == role))
        for role in ("data_scientists", "lead_data_scientists")
    }
    return studio.model_copy(update=added)


def problems(studio: Studio, everybody: Sequence[Listed], section: str) -> Iterator[Problem]:
    """Yield what is wrong with all users together.

    Args:
        studio: The section.
        everybody: Every user.
        section: File and line of the section.
    """
    yield from _more_than_once(everybody)
    yield from _reserved(everybody)
    yield from _single_sign_on(studio, everybody, section)


def _more_than_once(everybody: Sequence[Listed]) -> Iterator[Problem]:
    first_of: dict[str, Listed] = {}
    for each in everybody:
        # A file's prefix makes another profile of the same person: the role would depend on which profile is opened.
        names = {each.person, each.user.name}
        first = next((first_of[name] for name in sorted(names) if name in first_of), None)
        for name in names:
            first_of.setdefault(name, each)
        if first is None:
            continue
        yield Problem(
            what=f"the Studio user {each.person} is listed more than once, first in {first.where}",
            where=each.where,
            got=f"{each.person} in {first.role} ({first.where}) and in {each.role} ({each.where})",
            expected="each person once, in one role",
            fix=f"remove {each.person} from one of the two places",
        )


def _reserved(everybody: Sequence[Listed]) -> Iterator[Problem]:
    for each in everybody:
        if each.user.name == DOMAIN_ADMIN_PROFILE:
            yield Problem(
                what=f"the profile {DOMAIN_ADMIN_PROFILE} is always made",
                where=each.where,
                got=each.user.name,
                expected="other names",
                fix="remove it from the list",
            )


def _single_sign_on(studio: Studio, everybody: Sequence[Listed], section: str) -> Iterator[Problem]:
    if studio.auth_mode == "iam":
        given = [each for each in everybody if each.user.sso_user]
        if given or studio.admin_sso_user:
            yield Problem(
                what="users of IAM Identity Center are given, but auth_mode is iam",
                where=given[0].where if given else section,
                got=", ".join(each.person for each in given) or "admin_sso_user",
                expected="sso_user and admin_sso_user with auth_mode: sso only",
                fix="set auth_mode: sso, or remove them",
            )
        return
    without = [each for each in everybody if not each.user.sso_user]
    if without or not studio.admin_sso_user:
        names = [*([] if studio.admin_sso_user else [DOMAIN_ADMIN_PROFILE]), *(each.person for each in without)]
        yield Problem(
            what="auth_mode is sso, and profiles have no user of IAM Identity Center",
            where=without[0].where if without else section,
            got=", ".join(names),
            expected=f"sso_user for each user, and admin_sso_user for {DOMAIN_ADMIN_PROFILE}",
            fix=_sso_fix(missing=bool(without), admin=bool(studio.admin_sso_user)),
        )
    yield from _same_person(studio, everybody)


def _sso_fix(*, missing: bool, admin: bool) -> str:
    users = ["add sso_user: to each, such as {name: alice, sso_user: alice@example.com}"] if missing else []
    return ", and ".join([*users, *([] if admin else ["set studio.admin_sso_user"])])


def _same_person(studio: Studio, everybody: Sequence[Listed]) -> Iterator[Problem]:
    """A user of IAM Identity Center has one profile in a domain."""
    first_of = {studio.admin_sso_user: DOMAIN_ADMIN_PROFILE} if studio.admin_sso_user else {}
    for each in everybody:
        sso_user = each.user.sso_user
        if sso_user is None:
            continue
        if sso_user in first_of:
            yield Problem(
                what=f"the user {sso_user} of IAM Identity Center has two profiles",
                where=each.where,
                got=f"{first_of[sso_user]} and {each.user.name}",
                expected="one profile each",
                fix="remove one of them",
            )
        first_of.setdefault(sso_user, each.user.name)
