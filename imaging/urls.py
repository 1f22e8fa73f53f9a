"""Addresses of the imaging room."""

from django.urls import include, path, register_converter

from casebook.converters import VisitName
from imaging.dicomweb.addresses import ADDRESSES as DICOMWEB
from imaging.views import adjudication, held, inbox, oversight, reading, studies, uploads, viewer

register_converter(VisitName, "imagingvisit")

VISIT = "subjects/<str:number>/visits/<imagingvisit:visit>/images/"
UPLOAD = "images/uploads/<uuid:opaque>/"
STUDY = "images/studies/<uuid:opaque>/"
FILE = "images/files/<int:file_id>/"
INBOX = "images/inbox/<uuid:opaque>/"
CASE = "reading/<uuid:opaque>/"
PAIR = "adjudication/<uuid:opaque>/"

urlpatterns = [
    path("dicomweb/", include(DICOMWEB)),
    path("images/", studies.inbox, name="image-inbox"),
    path(INBOX, inbox.examination, name="inbox-examination"),
    path(f"{INBOX}match/", inbox.match, name="inbox-match"),
    path(f"{INBOX}reject/", inbox.reject, name="inbox-reject"),
    path("subjects/<str:number>/images/", uploads.subject_images, name="subject-images"),
    path(VISIT, uploads.visit_images, name="visit-images"),
    path(f"{VISIT}manifest/", uploads.manifest, name="image-manifest"),
    path(UPLOAD, uploads.batch, name="image-batch"),
    path(f"{UPLOAD}files/", uploads.batch_files, name="image-files"),
    path(f"{UPLOAD}finish/", uploads.finish, name="image-finish"),
    path(f"{UPLOAD}status/", uploads.batch_status, name="image-status"),
    path(STUDY, studies.study, name="image-study"),
    path(f"{UPLOAD}decide/", studies.decide_alike, name="image-decide"),
    path(f"{STUDY}accept/", studies.accept, name="image-accept"),
    path(f"{STUDY}question/", studies.question, name="image-question"),
    path(f"{STUDY}withdraw/", studies.withdraw, name="image-withdraw"),
    path(f"{STUDY}restore/", studies.restore, name="image-restore"),
    path("images/series/<uuid:opaque>/thumbnail.png", studies.thumbnail, name="image-thumbnail"),
    path(f"{FILE}release/", studies.release, name="image-release"),
    path(f"{FILE}reject/", studies.reject, name="image-reject"),
    path(FILE, held.held, name="image-held"),
    path(f"{FILE}picture.png", held.picture, name="image-held-picture"),
    path(f"{FILE}cover/", held.cover, name="image-cover"),
    path("images/first-step.json", uploads.first_step, name="image-first-step"),
    path("images/reads/", oversight.reads, name="reads-overseen"),
    path("images/readers/", oversight.readers, name="readers"),
    path("images/readers/record/", oversight.record, name="reader-record"),
    path("images/reads/<uuid:opaque>/report.dcm", oversight.report, name="read-report"),
    path("reading/", reading.queue, name="reading-queue"),
    path("reading/next/", reading.next_case, name="reading-next"),
    path(CASE, reading.case, name="reading-case"),
    path(f"{CASE}images/", viewer.series, name="reading-series"),
    path(f"{CASE}images/prior/", viewer.prior_series, name="reading-prior"),
    path(f"{CASE}frames/<uuid:instance>/", viewer.frame, name="reading-frame"),
    path(f"{CASE}marks/", viewer.marks, name="reading-marks"),
    path(f"{CASE}outcome/", reading.outcome, name="reading-outcome"),
    path(f"{CASE}lesions/", reading.choose, name="reading-choose"),
    path(f"{CASE}lesions/drop/", reading.drop, name="reading-drop"),
    path(f"{CASE}size/", reading.size, name="reading-size"),
    path(f"{CASE}time/", viewer.time, name="reading-time"),
    path(f"{CASE}findings/", reading.findings, name="reading-findings"),
    path(f"{CASE}sign/", reading.sign, name="reading-sign"),
    path(f"{CASE}correct/", reading.correct, name="reading-correct"),
    path("adjudication/", adjudication.queue, name="adjudications"),
    path(PAIR, adjudication.adjudication, name="adjudication"),
    path(f"{PAIR}images/", adjudication.series, name="adjudication-series"),
    path(f"{PAIR}frames/<uuid:instance>/", adjudication.frame, name="adjudication-frame"),
    path(f"{PAIR}anew/", adjudication.anew, name="adjudication-anew"),
    path(f"{PAIR}release/", adjudication.release, name="adjudication-release"),
    path(f"{PAIR}decide/", adjudication.decide, name="adjudication-decide"),
]
