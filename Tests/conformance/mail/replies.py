"""What mailbox providers and other servers reply, and what it means, for a Postfix to answer the same."""

import dataclasses
import re


@dataclasses.dataclass
class Case:
    """A recipient, what Postfix answers to it, and what that means. From that follow the state of the delivery, and why
    it is missed."""

    name: str
    answer: str
    meaning: str

    @property
    def email(self) -> str:
        return f"{self.name}@postfix.example"

    @property
    def state(self) -> str:
        return "failed" if self.meaning in FAILED else "pending"

    @property
    def reason(self) -> str:
        return self.meaning if self.meaning in FAILED else "waiting"

    @property
    def words(self) -> str:
        """The answer without its codes, which Postfix puts before words of its own."""
        return re.sub(r"^(REJECT|\d{3}) ([245]\.\d+\.\d+ )?", "", self.answer)


# A host that is not found is looked for once more a day later; all else may be tried again.
FAILED = {"addressGone", "refusedSender", "refused"}

CASES = [Case(*case) for case in (
    # There is no such mailbox.
    ("gone", "550 5.1.1 User unknown in virtual mailbox table", "addressGone"),
    ("gone-google", "550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking the "
                    "recipient's email address for typos", "addressGone"),
    ("gone-yahoo", "554 delivery error: dd This user doesn't have a yahoo.fr account (x@yahoo.fr) [0]", "addressGone"),
    ("gone-orange", "550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]", "addressGone"),
    ("gone-free", "550 5.2.1 This mailbox has been blocked due to inactivity", "addressGone"),
    ("gone-exchange", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", "addressGone"),
    ("gone-microsoft", "550 5.4.1 Recipient address rejected: Access denied", "addressGone"),
    ("moved", "551 5.1.6 The user has moved", "addressGone"),
    # It is full.
    ("full-google", "452 4.2.2 The email account that you tried to reach is over quota", "mailboxFull"),
    ("full", "552 5.2.2 Mailbox full", "mailboxFull"),
    ("full-words", "552 Requested mail action aborted: exceeded storage allocation", "mailboxFull"),
    ("full-orange", "552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]", "mailboxFull"),
    # Come back later.
    ("grey-words", "451 4.7.1 Greylisting in action, please come back later", "greylisted"),
    ("grey-postgrey", "450 4.2.0 Greylisted, see http://postgrey.schweikert.ch/help/x.html", "greylisted"),
    ("later", "450 4.2.1 The mailbox is temporarily unavailable", "deferred"),
    ("later-local", "451 4.3.0 Temporary lookup failure", "deferred"),
    # Too fast.
    ("slow-yahoo", "450 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user "
                   "complaints", "slowDown"),
    ("slow-orange", "421 4.7.0 Too many connections, slow down. OFR004_104 [104]", "slowDown"),
    ("slow-google", "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional "
                    "messages from being delivered", "slowDown"),
    ("slow-microsoft", "451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)", "slowDown"),
    ("slow-for-good", "550 5.7.1 Too many messages from your address, slow down", "slowDown"),
    ("slow-sfr", "550 5.7.1 sfr_in_105 Too many messages", "slowDown"),
    # Not from us.
    ("list-spamhaus", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "refusedSender"),
    ("list-microsoft", "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet "
                       "service provider since part of their network is on our block list (S3140)", "refusedSender"),
    ("unauthenticated", "550 5.7.26 This mail has been blocked because the sender is unauthenticated", "refusedSender"),
    ("dmarc", "550 5.7.509 Access denied, sending domain does not pass DMARC verification", "refusedSender"),
    ("yahoo-for-good", "553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred", "refusedSender"),
    ("laposte-spam", "550 5.5.0 Service refuse. Veuillez essayer plus tard. service refused, please try later. LPN007_510",
     "refusedSender"),
    # Our own fault.
    ("relay", "554 5.7.1 Relay access denied", "ourFault"),
    ("too-big", "552 5.3.4 Message size exceeds fixed limit", "ourFault"),
    # There is no such domain.
    ("host", "450 4.1.2 Domain not found", "noSuchHost"),
    ("host-for-good", "550 5.1.2 Host unknown", "noSuchHost"),
    # Anything else.
    ("no", "550 5.0.0 No", "refused"),
    ("failed", "554 5.0.0 Transaction failed", "refused"),
    ("group", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", "refused"),
)]
# After the text.
TEXT_CASES = [Case(*case) for case in (
    ("text-spam", "REJECT 5.7.1 Message content rejected as spam", "refusedSender"),
    ("text-gone", "REJECT 5.1.1 user unknown", "addressGone"),
)]
GREYLISTED = Case("grey-real", "greylisting", "greylisted")
ALL = CASES + TEXT_CASES + [GREYLISTED]
