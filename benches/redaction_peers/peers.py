"""The peers, each as a function from lines to what it takes from them, in characters.

What each of their types is among the kinds of the corpus is said beside it. Types that the corpus has
nothing of (postcodes, number plates, URLs, dates, UUIDs) are not switched on: they could only be wrong.
"""

import importlib
import inspect
import pkgutil
import tempfile

PHONES = ["phone", "phone_nanp", "phone_national"]
EMAILS = ["email", "email_quoted", "email_international"]

# Presidio's entities, and the kinds that each means.
PRESIDIO_DEFAULT = {
    "EMAIL_ADDRESS": EMAILS,
    "CREDIT_CARD": ["card"],
    "IBAN_CODE": ["iban"],
    "PHONE_NUMBER": PHONES,
    "US_SSN": ["us_ssn"],
    "US_ITIN": ["us_itin"],
    "US_PASSPORT": ["passport"],
    "US_DRIVER_LICENSE": ["driving_licence"],
    "UK_NHS": ["uk_nhs"],
    "IP_ADDRESS": ["ipv4", "ipv6"],
    "MAC_ADDRESS": ["mac"],
    "CRYPTO": ["btc_address"],
}
PRESIDIO_ALL = PRESIDIO_DEFAULT | {
    "ABA_ROUTING_NUMBER": ["us_bank"],
    "UK_NINO": ["uk_nino"],
    "UK_PASSPORT": ["passport"],
    "UK_DRIVING_LICENCE": ["driving_licence"],
    "DE_TAX_ID": ["de_tax_id"],
    "DE_ID_CARD": ["de_id_card"],
    "DE_PASSPORT": ["passport"],
    "ES_NIF": ["es_dni"],
    "ES_NIE": ["es_nie"],
    "IT_FISCAL_CODE": ["it_codice_fiscale"],
    "PL_PESEL": ["pl_pesel"],
    "SE_PERSONNUMMER": ["se_personnummer"],
    "IN_AADHAAR": ["in_aadhaar"],
    "IN_PAN": ["in_pan"],
    "IN_PASSPORT": ["passport"],
    "AU_TFN": ["au_tfn"],
    "AU_ABN": ["au_abn"],
    "CA_SIN": ["ca_sin"],
    "SG_NRIC_FIN": ["sg_nric"],
}
# scrubadub's detectors, by the name of what they find.
SCRUBADUB = {
    "email": EMAILS,
    "phone": PHONES,
    "credit_card": ["card"],
    "credential": ["password"],
    "drivers_licence": ["driving_licence"],
    "social_security_number": ["us_ssn"],
    "national_insurance_number": ["uk_nino"],
    "date_of_birth": ["date_of_birth"],
}
# What detect-secrets' plugins are for: all kinds of secrets that one of them names, or that its keyword
# and entropy plugins promise to find by what is assigned to a name.
ASSIGNED = [
    "password", "secret", "aws_secret", "high_entropy", "heroku_uuid", "cloudflare_token", "datadog_key",
    "fastly_token", "connection_string", "command_line", "sql_password", "url_query_token",
]
DETECT_SECRETS = {
    "AWS Access Key": ["aws_key"],
    "Azure Storage Account access key": ["azure_storage"],
    "Basic Auth Credentials": ["url_password", "database_url"],
    "Discord Bot Token": ["discord_token"],
    "GitHub Token": ["github_token", "github_fine_grained"],
    "GitLab Token": ["gitlab_token"],
    "JSON Web Token": ["jwt", "kubernetes_token"],
    "Mailchimp Access Key": ["mailchimp_key"],
    "NPM tokens": ["npm_token"],
    "OpenAI Token": ["openai_key"],
    "Private Key": ["private_key"],
    "PyPI Token": ["pypi_token"],
    "SendGrid API Key": ["sendgrid_key"],
    "Slack Token": ["slack_token", "slack_webhook"],
    "Square OAuth Secret": ["square_token"],
    "Stripe Access Key": ["stripe_key"],
    "Telegram Bot Token": ["telegram_token"],
    "Twilio API Key": ["twilio_key"],
    "Secret Keyword": ASSIGNED,
    "Base64 High Entropy String": ASSIGNED,
    "Hex High Entropy String": ASSIGNED,
}


def presidio(entities):
    """Its pattern recognizers for these entities, whatever language they are declared for.

    No language model: spaCy's blank English pipeline cuts words, and each is its own lemma, so that
    context words count. The threshold is that of a pattern whose context agrees (0.4), under which its
    weakest patterns, any eight digits among them, are not counted against it.
    """
    import spacy
    from presidio_analyzer import AnalyzerEngine, PatternRecognizer, RecognizerRegistry
    from presidio_analyzer import predefined_recognizers
    from presidio_analyzer.nlp_engine import SpacyNlpEngine
    from spacy.language import Language

    @Language.component("lemma_is_word")
    def lemma_is_word(doc):
        for token in doc:
            token.lemma_ = token.lower_
        return doc

    class Blank(SpacyNlpEngine):
        def __init__(self):
            super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
            pipeline = spacy.blank("en")
            pipeline.add_pipe("lemma_is_word")
            self.nlp = {"en": pipeline}

        def load(self):
            pass

    registry = RecognizerRegistry(supported_languages=["en"])
    for module in pkgutil.walk_packages(
        predefined_recognizers.__path__, predefined_recognizers.__name__ + "."
    ):
        if ".third_party" in module.name or ".ner" in module.name or "nlp_engine" in module.name:
            continue
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            local = kind.__module__ == module.name and hasattr(kind, "analyze")
            if not local or inspect.isabstract(kind):
                continue
            try:
                recognizer = kind(supported_language="en")
            except TypeError:  # a base of others
                continue
            if set(recognizer.supported_entities) & set(entities):
                registry.add_recognizer(recognizer)
    assert any(isinstance(known, PatternRecognizer) for known in registry.recognizers)
    engine = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])

    def run(lines):
        for line in lines:
            found = engine.analyze(
                line, language="en", entities=list(entities), score_threshold=0.4
            )
            yield [(result.start, result.end, result.entity_type) for result in found]

    return run


def scrubadub():
    """Its own detectors for the United States and Great Britain, without the add-on packages."""
    import scrubadub as library

    scrubbers = []
    for locale in ("en_US", "en_GB"):
        scrubber = library.Scrubber(locale=locale, detector_list=[], post_processor_list=[])
        catalogue = library.detectors.detector_catalogue.get_all()
        for name, detector in catalogue.items():
            local = getattr(detector, "supported_locale", lambda _: True)
            if name in SCRUBADUB and local(locale):
                scrubber.add_detector(detector)
        scrubbers.append(scrubber)

    def run(lines):
        for line in lines:
            taken = []
            for scrubber in scrubbers:
                for filth in scrubber.iter_filth(line):
                    parts = getattr(filth, "filths", [filth])
                    taken += [(part.beg, part.end, part.detector_name) for part in parts]
            yield sorted(set(taken))

    return run


def detect_secrets():
    """`scan` of one file with the default plugins and filters, as on the command line.

    It tells lines and values: every place of a value in its line counts as taken. Of a private key it
    tells the first line: that counts as the key.
    """
    from detect_secrets.core.scan import scan_file
    from detect_secrets.settings import transient_settings
    from detect_secrets.settings import default_settings, get_settings

    with default_settings():
        settings = get_settings().json()
    skipped = ("IPPublicDetector", "IbmCloudIamDetector", "IbmCosHmacDetector", "SoftlayerDetector",
               "CloudantDetector", "ArtifactoryDetector")
    settings["plugins_used"] = [
        plugin for plugin in settings["plugins_used"] if plugin["name"] not in skipped
    ]

    def run(lines):
        lines = list(lines)
        owner, starts = [], []
        with tempfile.NamedTemporaryFile("w", suffix=".log", encoding="utf-8") as file:
            for index, line in enumerate(lines):
                start = 0
                for part in line.split("\n"):
                    file.write(part.replace("\r", " ") + "\n")
                    owner.append(index)
                    starts.append((start, part))
                    start += len(part) + 1
            file.flush()
            taken = [[] for _ in lines]
            with transient_settings(settings):
                for secret in scan_file(file.name):
                    index = owner[secret.line_number - 1]
                    start, part = starts[secret.line_number - 1]
                    value = secret.secret_value
                    if secret.type == "Private Key":
                        at = lines[index].find(value)
                        end = lines[index].find("END", at)
                        close = lines[index].find("KEY", max(end, 0)) + 3
                        taken[index].append((max(at - 5, 0), max(close + 5, at), secret.type))
                        continue
                    at = part.find(value)
                    while value and at >= 0:
                        taken[index].append((start + at, start + at + len(value), secret.type))
                        at = part.find(value, at + 1)
        yield from taken

    return run
