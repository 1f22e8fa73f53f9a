"""Words of the patient's pages around the instrument: ours, not the owner's. One column per language."""

from __future__ import annotations

from dataclasses import dataclass

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "yi"})


@dataclass(frozen=True)
class Words:
    """Everything that a patient reads besides the instrument itself."""

    name: str
    title: str
    begin: str
    go_on: str
    about: str
    until: str
    place: str
    choose: str
    next: str
    back: str
    rather_not: str
    rather_not_sure: str
    leave_out: str
    answer_after_all: str
    review: str
    change: str
    not_answered: str
    send: str
    send_note: str
    thanks: str
    thanks_note: str
    early: str
    expired: str
    unknown: str
    ask_team: str
    not_received: str
    too_often: str
    progress: str


ENGLISH = Words(
    name="English",
    title="Questionnaire",
    begin="Begin",
    go_on="Go on",
    about="{count} questions, about two minutes. You can change your answers until you send them.",
    until="You can answer until {day}.",
    place="{number} of {count}",
    choose="Choose one answer, or say that you would rather not answer.",
    next="Next",
    back="Back",
    rather_not="I would rather not answer",
    rather_not_sure="Leave this question out?",
    leave_out="Leave it out",
    answer_after_all="Answer it",
    review="Check your answers",
    change="Change",
    not_answered="Not answered",
    send="Send",
    send_note="After sending, only your study team can correct an answer for you.",
    thanks="Thank you. Your answers have been received.",
    thanks_note="You can close this page.",
    early="This questionnaire opens on {day}.",
    expired="The time for this questionnaire is over.",
    unknown="This link does not work.",
    ask_team="Please ask your study team.",
    not_received="Your answers could not be received.",
    too_often="Too many attempts. Please wait a few minutes.",
    progress="Progress",
)
NORWEGIAN = Words(
    name="Norsk bokmål",
    title="Spørreskjema",
    begin="Begynn",
    go_on="Fortsett",
    about="{count} spørsmål, omtrent to minutter. Du kan endre svarene til du sender dem.",
    until="Du kan svare til og med {day}.",
    place="{number} av {count}",
    choose="Velg ett svar, eller si at du helst ikke vil svare.",
    next="Neste",
    back="Tilbake",
    rather_not="Jeg vil helst ikke svare",
    rather_not_sure="Vil du hoppe over dette spørsmålet?",
    leave_out="Hopp over",
    answer_after_all="Svar likevel",
    review="Se over svarene dine",
    change="Endre",
    not_answered="Ikke besvart",
    send="Send",
    send_note="Etter at du har sendt, kan bare studieteamet rette et svar for deg.",
    thanks="Takk. Vi har mottatt svarene dine.",
    thanks_note="Du kan lukke denne siden.",
    early="Dette skjemaet åpner {day}.",
    expired="Tiden for dette skjemaet er over.",
    unknown="Denne lenken virker ikke.",
    ask_team="Ta kontakt med studieteamet ditt.",
    not_received="Svarene dine kunne ikke mottas.",
    too_often="For mange forsøk. Vent noen minutter.",
    progress="Fremdrift",
)
SWEDISH = Words(
    name="Svenska",
    title="Frågeformulär",
    begin="Börja",
    go_on="Fortsätt",
    about="{count} frågor, ungefär två minuter. Du kan ändra dina svar tills du skickar dem.",
    until="Du kan svara till och med {day}.",
    place="{number} av {count}",
    choose="Välj ett svar, eller säg att du helst inte vill svara.",
    next="Nästa",
    back="Tillbaka",
    rather_not="Jag vill helst inte svara",
    rather_not_sure="Vill du hoppa över frågan?",
    leave_out="Hoppa över",
    answer_after_all="Svara ändå",
    review="Kontrollera dina svar",
    change="Ändra",
    not_answered="Inte besvarad",
    send="Skicka",
    send_note="När du har skickat kan bara studieteamet rätta ett svar åt dig.",
    thanks="Tack. Vi har tagit emot dina svar.",
    thanks_note="Du kan stänga sidan.",
    early="Formuläret öppnar {day}.",
    expired="Tiden för formuläret är över.",
    unknown="Länken fungerar inte.",
    ask_team="Kontakta ditt studieteam.",
    not_received="Dina svar kunde inte tas emot.",
    too_often="För många försök. Vänta några minuter.",
    progress="Framsteg",
)
LANGUAGES = {"en": ENGLISH, "nb": NORWEGIAN, "no": NORWEGIAN, "sv": SWEDISH}


def words_in(language: str) -> Words:
    """The words in a language (`nb`, `en-GB`), English where we have none."""
    return LANGUAGES.get(language.partition("-")[0], ENGLISH)


def language_name(language: str) -> str:
    """What a language calls itself, its code where we do not know."""
    known = LANGUAGES.get(language.partition("-")[0])
    return known.name if known else language


def direction_of(language: str) -> str:
    """Which way a language is written: `ltr` or `rtl`."""
    return "rtl" if language.partition("-")[0] in RIGHT_TO_LEFT else "ltr"
