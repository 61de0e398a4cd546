/// How mail servers say, outside of the fields of RFC 3464, that a message was not delivered: in English, French and
/// German.
///
/// What is general comes before what is of one program: the phrases of Postfix, Exim, qmail, Sendmail, Exchange, Domino,
/// Google, Yahoo, GMX, OpenSMTPD, MDaemon and of the French providers have most of their words in common. A new program
/// needs a phrase here, and its text among the samples of the tests.
enum BounceTexts {
    /// A message was not delivered, and will not be.
    static let failed: Phrases = [
        "could not be delivered", "could not be deliver", "cannot be delivered", "couldn't be delivered",
        "can not be delivered", "not be delivered", "was not delivered", "has not been delivered",
        "have not been delivered", "not delivered to", "not been delivered to the following",
        "unable to deliver", "not able to deliver", "wasn't able to deliver", "could not deliver", "couldn't deliver",
        "cannot deliver", "failed to deliver", "error delivering", "delivery failed", "delivery has failed",
        "delivery to the following recipient failed", "delivery to the following recipients failed",
        "to the following recipients was aborted", "to the following recipient was aborted",
        "undeliverable", "undelivered", "permanent fatal errors", "permanent delivery", "failed permanently",
        "following address es failed", "following address failed", "following addresses failed", "failed recipient",
        "failure reasons", "non-delivery report", "non-delivery notification", "following recipients did not receive",
        "following recipient did not receive", "addresses did not receive", "did not reach", "could not be reached",
        "couldn't be reached", "could not be found", "delivery problems",
        "error has occurred while attempting to deliver",
        "was automatically rejected", "was rejected by", "no such user here", "no user by that name",
        "invalid final delivery userid", "did not exactly match", "not accepting mail from", "following errors",
        "failed because", "message blocked", "address not found", "recipient's mailbox is full", "could not be sent",
        "may not exist or you may not have permission", "message was not accepted",
    ]

    /// The same in French: Exchange and Outlook, Google, Orange, La Poste, Free, SFR.
    static let failedInFrench: Phrases = [
        "n'a pas pu être remis", "n'a pas pu être délivré", "n'a pas pu etre delivre", "n'a pas pu être distribué",
        "n'a pas pu être livré", "n'a pas pu être acheminé", "n'a pas pu être envoyé", "n'a pas pu être transmis",
        "n'a pu être remis", "n'a pu être délivré", "n'a pu être distribué", "n'a pu être acheminé",
        "n'a pu être envoyé", "n'a pas été remis", "n'a pas été délivré", "n'a pas été distribué",
        "n'a pas été acheminé", "n'ont pas reçu", "n'est pas parvenu", "n'a pas atteint", "n'ont pas pu être joints",
        "n'a pas pu être joint", "ne peut pas être remis", "ne peut être remis", "ne peut pas être délivré",
        "ne peut être délivré", "impossible de remettre", "impossible de délivrer", "impossible de distribuer",
        "impossible d'acheminer", "impossible d'envoyer votre message", "échec de la remise", "échec de remise",
        "échec de la distribution", "échec de distribution", "échec de la livraison", "échec de livraison",
        "échec définitif", "la remise a échoué", "destinataires ou groupes a échoué", "groupes suivants a échoué",
        "la distribution a échoué", "avis de non remise", "adresse introuvable", "message bloqué",
        "erreur de distribution", "erreur permanente",
    ]

    static let failedInGerman: Phrases = [
        "konnte nicht zugestellt werden", "konnten nicht zugestellt werden", "nicht zustellbar", "unzustellbar",
        "zustellung fehlgeschlagen", "konnte nicht ausgeliefert werden",
    ]

    /// A message is late, and is still tried.
    static let delayed: Phrases = [
        "has not yet been delivered", "have not yet been delivered", "not yet been delivered", "has been delayed",
        "is delayed", "delivery delayed", "delivery is delayed", "delayed for more than", "has been postponed",
        "will be retried", "will continue to try", "warning message only", "is only a temporary failure",
        "still being retried", "temporarily deferred", "not been delivered yet",
        "n'a pas encore été remis", "n'a pas encore été délivré", "n'a pas encore été distribué",
        "n'a pas encore pu être", "n'a toujours pas été", "remise différée", "remise retardée", "est retardée",
        "a été retardée", "a été retardé", "a été différée", "sera retenté", "nouvelles tentatives",
        "tentera de nouveau",
        "il s'agit uniquement d'un avertissement", "verzögert",
    ]

    /// A message was delivered.
    static let delivered: Phrases = [
        "was successfully delivered", "has been successfully delivered", "successfully delivered to",
        "delivered successfully", "successfully relayed", "has been delivered to the following",
        "was delivered to the following", "delivery to these recipients or distribution lists is complete",
        "delivery to the following recipients is complete", "a été remis à", "a bien été remis", "a été distribué à",
        "la remise à ces destinataires ou listes de distribution est terminée", "remis avec succès",
    ]

    /// What a server calls itself in `From`, its address taken as words.
    static let servers: Phrases = [
        "mailer-daemon", "mailer daemon", "mailerdaemon", "mdaemon", "postmaster", "mail delivery", "mail.delivery",
        "delivery subsystem", "delivery system", "system administrator", "mail administrator", "mail system",
        "smtp mail service", "E500_SMTP_Mail_Service", "mailer", "microsoft outlook", "administrateur système",
        "administrateur du courrier",
    ]

    /// What a report says in its subject.
    static let subjects: Phrases = [
        "undeliverable", "undelivered", "undeliver", "non-delivery", "delivery failure", "delivery failed",
        "delivery status notification", "delivery notification", "delivery problem", "delivery error",
        "failed delivery", "mail failure", "mail error", "failure notice", "returned mail", "returned to sender",
        "returning message to sender", "could not be delivered", "cannot be delivered", "not delivered", "failed mail",
        "permanent delivery", "message delayed", "delivery delayed", "delivery warning", "message delivery",
        "mail system error", "error sending message",
        "non remis", "non délivré", "non distribué", "non distribuable", "échec de la remise", "échec de remise",
        "échec de distribution", "échec de la distribution", "échec de livraison", "avis de non remise",
        "avis de non distribution", "retour à l'expéditeur", "remise différée", "remise retardée",
        "notification d'état de remise", "notification de l'état de remise", "erreur de distribution",
        "n'a pas pu être", "unzustellbar", "nicht zustellbar", "zustellung fehlgeschlagen",
    ]

    /// What it says there after repeating our subject, which can begin with anything.
    static let subjectEnds: Phrases = ["non remis", "non délivré", "non distribué"]

    /// What begins the subject of what people send.
    static let forwards = Set(["re", "fw", "fwd", "tr", "ref", "aw", "wg", "rv"].map { Array($0.utf8) })

    /// What announces a copy of our message. It counts in a line of dashes, or in one that ends with a colon.
    static let copies: Phrases = [
        "copy of the message", "copy of your message", "copy of the original", "copy of the first", "original message",
        "message header", "header of the", "headers of the", "returned message", "returned mail", "unsent message",
        "original mail", "source mail", "message follows", "your message reads", "old message", "undelivered message",
        "top lines of the message", "lines of your original message", "lines of the message",
        "copie du message", "copie de votre message", "message d'origine", "message original", "message initial",
        "en-têtes du message", "en-têtes de message", "en-tête du message", "mensaje original",
        "ursprüngliche nachricht", "kopie der nachricht", "kopfzeilen",
    ]

    /// What is written before an address at the beginning of a line.
    static let labels: Phrases = [
        "failed recipient", "recipient", "undeliverable address", "undeliverable to", "address", "smtp", "mailto",
        "invalid final delivery userid", "delivery failed", "destinataire", "adresse", "empfänger", "pour", "to",
    ]

    /// Before a recipient's address within a sentence.
    static let prepositions = Set(
        [
            "to", "for", "addressed", "userid", "recipient", "recipients", "address", "addresses", "user", "mailbox",
            "attempts",
            "à", "a", "pour", "destinataire", "destinataires", "adresse", "an", "empfänger",
        ].map { Array($0.utf8) })

    /// Before the address that a recipient's mail is forwarded from: ours, of the two.
    static let expansions: Phrases = [
        "expanded from", "generated from", "originally addressed to", "forwarded from", "transféré depuis",
    ]

    /// What was answered (RFC 5321, 4.3.2), as reports tell it.
    static let stages: [(stage: SMTPStage, phrases: Phrases)] = [
        (.sender, ["mail from command", "after mail from", "sender was rejected", "after sending mail from"]),
        (.hello, ["helo command", "ehlo command", "after helo", "after ehlo"]),
        (.greeting, ["initial connection", "refused to talk to me"]),
    ]

    /// Name servers that did not answer do not say that there is no such domain: Postfix's `Host not found, try again`.
    static let unansweredNames: Phrases = [
        "not found try again", "malformed or unexpected name server reply", "temporary lookup failure", "servfail",
    ]

    /// Exchange before 2007 gives a number with each reason, and this one where nobody has the address; without it,
    /// its words say no more than that the message was not delivered.
    static let oldExchange: Phrases = ["msexch"]
    static let oldExchangeUnknown: Phrases = ["000C05A6"]

    /// What contradicts that nobody has this address.
    static let existingMailboxes: Phrases = ["disk space", "quota", "mailbox full", "mailbox is full", "boîte pleine"]

    /// What the subject of an automatic answer begins with, where its fields do not say what it is.
    static let absences: Phrases = [
        "automatic reply", "automatic response", "auto reply", "auto-reply", "autoreply", "auto response",
        "auto-response", "autoresponse", "out of office", "out of the office", "vacation", "away from", "away until",
        "i am away", "on leave", "réponse automatique", "réponse auto", "absence", "absent", "absente",
        "je suis absent",
        "message d'absence", "en congé", "en congés", "congés", "hors du bureau", "avis d'absence",
        "accusé de réception",
        "abwesenheit", "automatische antwort",
    ]

    /// The same, wherever it is in the subject.
    static let absenceEnds: Phrases = [
        "automatic reply", "out of office", "out of the office", "réponse automatique", "message d'absence",
        "abwesenheitsnotiz",
    ]

    /// Subjects of the mails that a mail client writes for `List-Unsubscribe`.
    static let departures = Set(
        ["unsubscribe", "desinscription", "se desinscrire", "desabonnement"].map { Array($0.utf8) })
}
