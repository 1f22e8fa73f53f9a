"""Each case report form holds its key fields, by the names that a statistician looks for, in every version of a trial.

What a form says by being that form has no item: DSDECOD of a consent, CMCAT of premedication, EXTRT of an infusion.
What the system itself holds has none either: randomisation, evaluations of eligibility, central readings, scores.
"""

from __future__ import annotations

import pytest

from tests.packs.test_running_logs import VERSIONS
from trials.packs import bundled_protocol
from trials.schema import Protocol

BOTH = {
    "DS_IC": "DSSTDAT DSSTTIM ICFVER ICFLANG PROCSURV PROCBIO",
    "DM": "BRTHDAT SEX RACE ETHNIC",
    "MH": "MHTERM MHCAT MHSTDAT MHENDAT MHONGO",
    "CH": "PRIMSITE HISTO HISTODAT TNMT TNMN TNMM PRIMRES PRIMRESDAT RMARGIN PREOPTRT SYNCH EHHIST",
    "GF": "BRAFRES RASRES KRASRES NRASRES MSIRES GFDAT GFMETHOD GFNAM",
    "CMA": "CMLINE CMTRT CMDOSTXT CMSTDAT CMENDAT CMONGO CMRESP CMRSDISC BEVA",
    "VS": "VSDAT VSPOS HEIGHT WEIGHT BMI BSA SYSBP DIABP PULSE TEMP",
    "RS": "RSDAT ECOG",
    "LB": "LBDAT LBTIM LBNAM HGB WBC NEUT LYM PLAT BILI AST ALT ALP GGT LDH ALB INR CREAT SODIUM K CRP CEA "
    "GCSFDAT LBCLSIG",
    "RP": "CHILDPOT LMPDAT MENSCONF CONTRAC CONTRMETH MALEREL CONDOM BRSTFD",
    "TU": "TULNKID TUORRES TULOC TUSEG TULAT TUMETHOD TUDAT LDIAM SAXIS RESECT",
    "TR": "TRLNKID TRDAT LDIAM SAXIS TUMSTATE",
    "RSR": "RSDAT TRGRESP NTRGRESP NEWLPRES OVRLRESP",
    "IMG": "PRTRT PRSTDAT PRSTTIM CONTRAST SLICE UPLOAD IMGQUAL",
    "AE": "AETERM AEDECOD AESTDAT AESTTIM AEENDAT AEONGO AETOXGR AESER AEACN AEACNOTH AEOUT AECONTRT",
    "SAE": "AESDTH AESLIFE AESHOSP AESDISAB AESCONG AESMIE AWAREDAT AWARETIM NARR EXPECTED SUSAR REPDAT REPTIM",
    "CM": "CMTRT CMINDC CMDOSE CMDOSU CMDOSFRQ CMROUTE CMSTDAT CMENDAT CMONGO CMGCSF",
    "PRO": "PRTRT PRDECOD PRCAT PRINDC PRLOC PRSTDAT PRENDAT PRONGO",
    "DV": "DVDECOD DVTERM DVSTDAT DVSEV DVCAPA",
    "DS_TRT": "DSDECOD DSTERM DSSTDAT",
    "DS_STUDY": "DSDECOD DSTERM DSSTDAT SURVOK",
    "DD": "DTHDAT PRCDTH AUTOPSY DTHREL",
    "SS": "SSDAT SURVSTAT LSTALVDT SUBSTRT SUBSTRDAT",
}
OWN = {
    "THERMODOX": {
        "CH": "EHENDDAT EHSUCC EHNEWREL UNRES UNRESDAT",
        "CMH": "PRIORANTHRA PRIORDOX PRIORLINES",
        "PTS": "LBDAT PREGSER HSFLAG",
        "CV": "CVDAT CVMETHOD LVEF NYHA EGDAT EGINTP",
        "CP": "ASCITES ENCEPH CPBILI CPALB CPINR CPSCORE CPCLASS",
        "TU": "UNRESECT PLANPROC DIAPH",
        "CM_PRE": "CMTRT CMDOSE CMROUTE CMSTDAT CMSTTIM PROCNO",
        "EX": "EXDOSE EXVOLT EXLOT EXSTDAT EXSTTIM EXENDAT EXENTIM EXITRPYN EXADJ BSA BSAFORM PROCNO",
        "PR": "PRTRT PRSTDAT PRSTTIM PRENDAT PRENTIM TULNKID APPROACH GUIDANCE PROBE POWER CYCLES ABLMIN TECHSUCC "
        "MARGIN COMPL PROCNO",
        "QS": "QSDAT QSTIM QSMODE QSLANG GP1 GP2 GP4 C2 CNS7 HI7 HEP2 HEP8",
        "AE": "AERELLTL AERELABL AERELPRE",
    },
    "EXCALIBUR": {
        "EH": "EHLOC EHENDDAT EHSUCC EHNEWREL",
        "CHS": "L1RESP L1INSUFF L1TOX PLAN2L L2EVALDAT BEVA",
        "PT": "LBDAT LBSPEC LBORRES HSFLAG",
        "STG": "DIAPH PERITCUR",
        "LL": "LUNGDIAM RESECT CURABLE",
        "MDT": "MDTDAT MDTHOSP MDTDEC LIVRESECT HAIANAT HAIANATDAT",
        "HAI": "PRSTDAT DIPARM DISERIAL FLOWRATE RESVOL PUMPVES GDALIG PERFDAT PERFANG PERFSCI CLAV30 CLAV90",
        "FILL": "EXTRT EXDOSE EXVOLT RESIDUAL CYCLE DOSELVL FILLREAS ALT AST ALP BILI",
        "WL": "LISTDAT DELISTDAT DELIST MELD",
        "LTX": "PRSTDAT DONOR WAITDAYS EXPLANT IMMUNO REJECT RETX",
        "QSX": "QSINSTR QSDAT",
        "AE": "AERELCHM AERELFUD AERELPMP AERELTX",
    },
}
EACH_VISIT = {"VS", "RS", "LB"}


@pytest.fixture(params=VERSIONS, ids=lambda each: " ".join(filter(None, each)))
def protocol(request: pytest.FixtureRequest) -> Protocol:
    trial, label = request.param
    return bundled_protocol(trial, label) if label else bundled_protocol(trial)


def test_every_key_field_is_on_its_form(protocol: Protocol) -> None:
    absent = [
        f"{form}.{item}"
        for wanted in (BOTH, OWN[protocol.trial.code])
        for form, items in wanted.items()
        for item in items.split()
        if item not in protocol.form(form).items_by_id
    ]
    assert absent == []


def test_vital_signs_performance_status_and_laboratory_go_together(protocol: Protocol) -> None:
    """At each visit to the clinic; survival by telephone and the end of the study need none of them."""
    for visit in protocol.visits:
        seen = EACH_VISIT & set(visit.forms)
        expected = set() if visit.kind in {"survival", "discontinuation"} else EACH_VISIT
        assert seen == expected, visit.code


def test_a_pregnancy_test_comes_before_every_study_drug(protocol: Protocol) -> None:
    """Before ThermoDox on the day, before floxuridine at the latest when its pump is implanted."""
    test, before = {"THERMODOX": ("PTS", {"SCR", "P1", "P2"}), "EXCALIBUR": ("PT", {"SCR", "RAND", "PUMP"})}[
        protocol.trial.code
    ]
    assert before <= {visit.code for visit in protocol.visits_with(test)}


def test_every_form_stands_under_a_heading(protocol: Protocol) -> None:
    """A form that an amendment rewrites keeps its own."""
    first = bundled_protocol(protocol.trial.code)
    for form in protocol.forms:
        assert form.category, form.code
        assert form.category == first.form(form.code).category, form.code
