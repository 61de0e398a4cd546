/// What a reply must have for its class: all of what is stated, and of each list one.
struct ReplyRule: Sendable {
    enum Replies: Sendable {
        case positive, temporary, permanent, negative, any
        case codes(ClosedRange<Int>)

        func contains(code: Int?, severity: Int) -> Bool {
            switch self {
            case .positive: severity == 2
            case .temporary: severity == 4
            case .permanent: severity == 5
            case .negative: severity == 4 || severity == 5
            case .any: true
            case .codes(let range): code.map(range.contains) == true
            }
        }
    }

    var outcome: ReplyClass
    var replies: Replies
    var statuses: [EnhancedStatusPattern] = []
    /// Empty for all.
    var stages: Set<SMTPStage> = []
    /// The numbers of Orange and La Poste, as in `OFR_416`.
    var orangeNumbers: Set<Int> = []
    /// Phrases, folded as ``ReplyWords`` folds a reply. One begins with a word and may end within one, but where a space
    /// is at its end.
    var words: [String] = []
}

/// The rules, in order: the first that matches decides.
///
/// What a reply costs if it is misread decides the order. An address that is taken for gone is lost for good, so what
/// speaks of us (pace, trust, configuration) comes first, and words come before codes: servers answer 550, and even
/// 5.1.1, to whom they do not trust. For the same reason a bare 550, 551 or 553 to the recipient is only
/// ``ReplyClass/refused``: RFC 5321 (4.2.3) gives 550 to a missing mailbox and to *command rejected for policy reasons*
/// alike. A 4xx never fails a delivery at once, whatever it says.
///
/// Sources: RFC 3463, 5248, 7372, 7504, 7505; the registry of enhanced status codes at IANA; the postmaster pages of
/// Orange, La Poste, SFR, Free, Google, Microsoft, Yahoo and Apple; the corpus of Sisimai.
enum ReplyRules {
    static let all: [ReplyRule] =
        taken + france + pace + space + configuration + trust + envelopeSender + host + recipient + codes

    /// Where a reply can be about the recipient. Before, it cannot: *user unknown* after `MAIL FROM` is about our own
    /// address, which some servers verify.
    private static let fromRecipient: Set<SMTPStage> = [.recipient, .data, .text]

    private static let taken: [ReplyRule] = [ReplyRule(outcome: .taken, replies: .positive, stages: [.text])]

    /// Orange, Wanadoo and La Poste share their numbers; SFR's end in 01 spam, 02 viruses, 03 errors of protocol, 04
    /// unknown recipients, 05 volume.
    private static let france: [ReplyRule] = [
        ReplyRule(
            outcome: .slowDown, replies: .negative, orangeNumbers: [104, 105, 107, 108, 109, 201, 423, 424, 505, 999]),
        ReplyRule(outcome: .mailboxFull, replies: .negative, orangeNumbers: [417]),
        ReplyRule(outcome: .addressGone, replies: .permanent, stages: fromRecipient, orangeNumbers: [416, 418, 420]),
        // The account is suspended, and may return.
        ReplyRule(outcome: .refused, replies: .permanent, orangeNumbers: [426]),
        ReplyRule(outcome: .ourFault, replies: .permanent, orangeNumbers: [305, 402, 403, 405, 415, 421, 514]),
        ReplyRule(
            outcome: .refusedSender, replies: .permanent,
            orangeNumbers: [101, 102, 103, 401, 506, 510, 513, 515, 517, 519, 630]),
        ReplyRule(outcome: .slowDown, replies: .negative, words: (0...9).map { "sfr_in_\($0)05" }),
        ReplyRule(outcome: .slowDown, replies: .temporary, words: ["sfr_in_"]),
        ReplyRule(outcome: .refusedSender, replies: .permanent, words: ["sfr_in_"]),
    ]

    /// Also where the code is 5xx: some servers refuse permanently what they ask to be sent more slowly.
    private static let pace: [ReplyRule] = [
        ReplyRule(
            outcome: .greylisted, replies: .negative,
            words: ["greylist", "graylist", "grey-list", "gray-list", "postgrey", "liste grise"]),
        ReplyRule(
            outcome: .slowDown, replies: .negative,
            statuses: ["x.4.5", "x.5.3", "x.2.121-122", "5.7.508", "4.3.2", "4.7.500-699"]),
        ReplyRule(
            outcome: .slowDown, replies: .negative,
            words: [
                "too many connections", "too many concurrent", "too many simultaneous", "too many sessions",
                "too many smtp", "too many messages", "too many emails", "too many mails", "too many recipients",
                "too many errors", "too many requests", "connection limit", "connection rate", "concurrent connections",
                "maximum connections", "max message per connection", "messages per connection", "emails per hour",
                "messages per hour", "messages can be sent per hour", "per hour message", "message limit exceeded",
                "sending limit", "relay limit", "daily limit", "hourly limit", "rate limit", "throttl", "slow down",
                "slower", "too fast", "too quickly", "at a rate that", "excessive volume", "unexpected volume",
                "exceeded permitted limits", "exceeded threshold", "submission quota", "sending quota", "queue quota",
                "message quota", "server busy", "rp-001", "rp-002", "rp-003",
            ]),
        ReplyRule(
            outcome: .slowDown, replies: .negative,
            words: [
                "trop de connexions", "trop de messages", "trop de mails", "trop de destinataires", "trop d'erreurs",
                "limite de débit", "débit trop élevé", "zu viele", "zu schnell",
            ]),
        // A server that cannot resolve our name must not be read as one that cannot resolve the recipient's.
        ReplyRule(
            outcome: .slowDown, replies: .temporary,
            words: ["client host rejected", "helo command rejected", "ip name"]),
    ]

    private static let space: [ReplyRule] = [
        ReplyRule(outcome: .ourFault, replies: .permanent, statuses: ["5.3.4", "5.2.3"]),
        ReplyRule(outcome: .mailboxFull, replies: .negative, statuses: ["x.2.2"]),
        ReplyRule(
            outcome: .mailboxFull, replies: .negative,
            words: [
                "over quota", "overquota", "over the quota", "over disk quota", "over the allowed quota", "disk quota",
                "disc quota", "quota exceeded", "quota exceed", "exceeded quota", "exceeded the quota",
                "exceeded its quota", "exceeds quota", "exceeding its mailbox quota", "exceeding their quota",
                "mailbox full", "mailbox is full", "full mailbox", "mailbox for user is full", "inbox is full",
                "mailfolder is full", "out of storage", "exceeded storage allocation", "mailbox size limit",
                "disk space limit", "not enough storage space", "would exceed maximum allowed storage",
            ]),
        ReplyRule(
            outcome: .mailboxFull, replies: .negative,
            words: [
                "boîte pleine", "boîte aux lettres pleine", "boîte du destinataire pleine", "boîte de réception pleine",
                "boîte mail pleine", "boîte est pleine", "messagerie pleine", "quota dépassé", "quota atteint",
                "dépassement de quota", "postfach voll", "postfach ist voll", "mailbox voll", "quota überschritten",
                "quota ueberschritten", "speicherplatz erschöpft",
            ]),
        ReplyRule(
            outcome: .ourFault, replies: .permanent,
            words: [
                "message too large", "message too big", "message is too large", "message is too big",
                "message file too big", "message size exceeds", "maximum message size", "maximum inbound message size",
                "message size limit", "message exceeds maximum", "exceeds maximum size", "taille maximale",
                "taille limite", "message trop volumineux", "message trop gros", "nachricht zu groß",
            ]),
    ]

    private static let configuration: [ReplyRule] = [
        ReplyRule(
            outcome: .ourFault, replies: .negative,
            words: [
                "relay access denied", "relaying denied", "relay denied", "relaying not allowed", "relay not permitted",
                "relaying not permitted", "relaying prohibited", "relaying is not", "unable to relay", "no relaying",
                "not permitted to relay", "not allowed to relay", "not an open relay", "not configured to relay",
                "my list of allowed rcpthosts", "credentials for relay", "don't handle mail for", "relais interdit",
                "relais refusé",
            ]),
        // Commands that the server does not know, and parts of ours that it cannot read: no word makes it about others.
        ReplyRule(outcome: .ourFault, replies: .codes(502...504)),
        ReplyRule(outcome: .ourFault, replies: .codes(530...538)),
        ReplyRule(outcome: .ourFault, replies: .permanent, stages: [.startTLS, .authentication]),
        ReplyRule(
            outcome: .ourFault, replies: .permanent,
            words: ["client was not authenticated", "exchange server authentication", "permissions to send as"]),
    ]

    private static let trust: [ReplyRule] = [
        // Free, of mailboxes that nobody opens: in the words of a block list, but not about us.
        ReplyRule(
            outcome: .addressGone, replies: .permanent, stages: fromRecipient, words: ["blocked due to inactivity"]),
        // Groups and internal mailboxes that take mails of their members only: it is about one address, not about us.
        ReplyRule(
            outcome: .refused, replies: .permanent, statuses: ["5.7.12", "5.7.124", "5.7.133-136"]),
        ReplyRule(
            outcome: .refused, replies: .permanent,
            words: [
                "resolver.rst.", "members-only", "closed mailing list", "not subscribed to this group",
                "only accepting mail from",
            ]),
        ReplyRule(
            outcome: .refusedSender, replies: .permanent,
            words: [
                "spamhaus", "spamcop", "barracuda", "sorbs ", "uceprotect", "senderscore", "abusix", "abuseat",
                "cloudmark", "dnsbl", "rbl ", "blacklist", "black list", "blocklist", "block list", "denylist",
                "liste noire", "sperrliste", "blocked using", "blocked by", "blocked for", "blocked - see",
                "ip is blocked", "address is blocked", "server is blocked", "server at is blocked",
                "been blocked", "banned", "bloquée pour", "reputation", "réputation", "dynamic ip", "is listed in",
                "is listed at", "domain listed", "ip listed",
                "listed as abusive", "too many spam", "too much spam", "s3140 ", "s3150 ",
            ]),
        ReplyRule(
            outcome: .refusedSender, replies: .permanent,
            words: [
                "tss04 ", "tss09 ", "tss11 ", "ts01 ", "ts02 ", "ts03 ", "ipts04 ", "bl21 ", "bl23 ", "ph01 ",
                "permanently deferred", "cs01 ", "cs02 ", "hm07 ", "hm08 ", "hme1 ", "hcm2 ", "sc-001", "sc-002",
                "sc-003", "sc-004", "dy-001", "dy-002", "ou-001", "ou-002",
            ]),
        ReplyRule(
            outcome: .refusedSender, replies: .permanent,
            words: [
                "as spam", "is spam", "be spam", "spam detected", "spam message", "spam content", "spam policy",
                "spam filter", "spam score", "spam refused", "spam rejected", "spam blocked", "spam or virus",
                "for spam",
                "for possible spam", "suspected spam", "spamming", "unsolicited", "bulk mail", "junk mail",
                "junkmail", "virus", "malware", "phishing", "quarantined", "content rejected", "content filter",
                "incident de spam", "indésirable", "mail rejeté", "message rejeté",
            ]),
        ReplyRule(
            outcome: .refusedSender, replies: .permanent,
            words: [
                "spf ", "dkim ", "dmarc", "sender policy framework", "unauthenticated email",
                "sender is unauthenticated",
                "ptr record", "reverse dns", "rdns", "find your hostname", "invalid dns mx", "client host rejected",
                "helo command rejected", "not accepting connections", "connection refused", "policy reasons",
                "local policy", "security policies", "denied by policy", "policy violation", "sending ip",
            ]),
    ]

    /// Our envelope sender. The rules of trust come before: a sender is also refused for its reputation.
    private static let envelopeSender: [ReplyRule] = [
        ReplyRule(
            outcome: .refusedSender, replies: .permanent, statuses: ["5.7.x"],
            words: ["sender address rejected", "sender rejected"]),
        ReplyRule(outcome: .ourFault, replies: .permanent, statuses: ["5.1.7-8"]),
        // A name server that fails now and then is not a reason to pause the issue.
        ReplyRule(outcome: .deferred, replies: .temporary, statuses: ["4.1.7-8"]),
        ReplyRule(
            outcome: .deferred, replies: .temporary,
            words: ["sender address rejected", "sender verify", "domain of sender"]),
        ReplyRule(
            outcome: .ourFault, replies: .permanent,
            words: [
                "sender address rejected", "sender rejected", "sender verify failed", "invalid sender",
                "émetteur invalide", "expéditeur invalide", "bad sender", "unroutable sender", "domain of sender",
                "sender domain must exist", "absenderadresse",
            ]),
        ReplyRule(outcome: .ourFault, replies: .permanent, statuses: ["5.1.x"], stages: [.sender]),
        ReplyRule(outcome: .ourFault, replies: .codes(553...553), stages: [.sender]),
        // Whoever asks to be tried again later has not said that anybody is unknown.
        ReplyRule(
            outcome: .slowDown, replies: .permanent,
            words: ["try again later", "try later", "retry later", "essayer plus tard", "später erneut"]),
    ]

    private static let host: [ReplyRule] = [
        ReplyRule(
            outcome: .noSuchHost, replies: .negative, statuses: ["x.1.2", "x.4.4"], stages: fromRecipient),
        ReplyRule(
            outcome: .noSuchHost, replies: .negative, stages: fromRecipient,
            words: [
                "host or domain name not found", "domain not found", "domain does not exist", "no such domain",
                "unknown domain", "domain must exist", "domain is not reachable", "host not found", "host unknown",
                "unknown host", "unrouteable address", "unroutable address", "domaine inconnu", "domaine inexistant",
            ]),
    ]

    private static let recipient: [ReplyRule] = [
        ReplyRule(
            outcome: .addressGone, replies: .permanent,
            statuses: ["5.1.1", "5.1.3", "5.1.6", "5.1.10", "5.2.1"], stages: fromRecipient),
        // Microsoft, for addresses that its directory does not have.
        ReplyRule(
            outcome: .addressGone, replies: .permanent, statuses: ["5.4.1"], stages: fromRecipient,
            words: ["recipient address rejected", "all recipient addresses rejected"]),
        // IronPort: `550 #5.1.0 Address rejected.`
        ReplyRule(
            outcome: .addressGone, replies: .permanent, statuses: ["5.1.0"], stages: fromRecipient,
            words: ["address rejected"]),
        // These also count with 5.7.1, which Postfix adds to every refusal of an access table.
        ReplyRule(
            outcome: .addressGone, replies: .permanent, stages: fromRecipient,
            words: [
                "user unknown", "unknown user", "user not known", "user is unknown", "not a known user", "no such user",
                "user does not exist", "user doesn't exist", "user not exist", "user not found", "user was not found",
                "user doesn't have a", "non-existent user", "not a valid user", "invalid user", "no such mailbox",
                "no such person", "no such recipient", "no such address", "no mailbox here", "mailbox does not exist",
                "mailbox doesn't exist", "mailbox not found", "mailbox not present", "unknown mailbox",
                "invalid mailbox",
                "not a valid mailbox", "no mailbox found", "recipient unknown", "unknown recipient",
                "recipient not found",
                "recipient does not exist", "recipient was not found", "not a valid recipient", "invalid recipient",
                "recipient no longer on server", "exrecipnotfound", "address unknown",
                "address does not exist", "address doesn't exist", "email address could not be found",
                "tried to reach does not exist", "account does not exist", "no account by that name",
                "unknown local part",
                "unknown or illegal alias", "bad destination mailbox", "inactive email address", "no longer valid",
                "no longer accepts mail", "not listed in domino directory", "not listed in public name",
                "this mailbox is disabled", "disabled or discontinued", "recipnotfound",
            ]),
        ReplyRule(
            outcome: .addressGone, replies: .permanent, stages: fromRecipient,
            words: [
                "destinataire invalide", "destinataire inconnu", "destinataire inexistant", "utilisateur inconnu",
                "utilisateur inexistant", "adresse inconnue", "adresse inexistante", "adresse invalide",
                "adresse n'existe pas", "adresse d'au moins un destinataire invalide", "boîte inexistante",
                "compte inconnu", "compte inexistant",
                "empfänger unbekannt", "empfaenger unbekannt", "empfänger existiert nicht",
                "empfaenger existiert nicht",
                "benutzer unbekannt", "unbekannter benutzer", "unbekannter empfänger", "unbekannter empfaenger",
                "postfach existiert nicht", "adresse existiert nicht",
            ]),
    ]

    private static let codes: [ReplyRule] = [
        ReplyRule(outcome: .ourFault, replies: .codes(500...501)),
        // Not 5.5.0: La Poste and Microsoft put it before refusals of any kind, and an issue would pause for each.
        ReplyRule(outcome: .ourFault, replies: .permanent, statuses: ["5.5.1-2", "5.5.4-6"]),
        ReplyRule(outcome: .refusedSender, replies: .permanent, statuses: ["5.7.x"]),
        // RFC 5321 has these words for every 550, so they say less than a status.
        ReplyRule(
            outcome: .addressGone, replies: .permanent, stages: fromRecipient,
            words: ["mailbox unavailable", "mailbox is unavailable", "mailbox not available", "boîte indisponible"]),
        // Nobody has been named yet, so it is about us.
        ReplyRule(outcome: .refusedSender, replies: .permanent, stages: [.greeting, .hello]),
        // To the sender with its SIZE (RFC 1870, 6.1), to all else about the mailbox.
        ReplyRule(outcome: .ourFault, replies: .codes(552...552), stages: [.sender]),
        ReplyRule(outcome: .mailboxFull, replies: .codes(552...552)),
        ReplyRule(outcome: .greylisted, replies: .temporary, statuses: ["4.2.0"]),
        ReplyRule(
            outcome: .greylisted, replies: .codes(450...451),
            words: [
                "try again later", "try later", "retry later", "come back later", "please try again",
                "essayer plus tard", "später erneut",
            ]),
        ReplyRule(outcome: .slowDown, replies: .temporary, statuses: ["4.7.x"]),
        ReplyRule(outcome: .slowDown, replies: .codes(421...421)),
        ReplyRule(outcome: .deferred, replies: .temporary),
        ReplyRule(outcome: .refused, replies: .permanent),
        // A positive reply before the text, or a code that RFC 5321 does not have: the message was not taken.
        ReplyRule(outcome: .deferred, replies: .any),
    ]
}
