import ClubProtocol

/// The mailbox providers of most people in France, and what each accepts from one sender.
///
/// Where a provider publishes a figure, it is used. Elsewhere the figure is one that senders report to work, on the
/// careful side: a lane that is a little slow is late, one that is too fast is blocked. Hosts of other people's domains
/// that publish nothing (OVH, Gandi, IONOS) are not listed.
enum MailProviders {
    static let all: [MailProvider] = [
        MailProvider(
            code: "orange",
            domains: ["orange.fr", "wanadoo.fr", "voila.fr"],
            exchangerDomains: ["orange.fr", "wanadoo.fr"],
            // Two connections with 100 messages each for all its domains together; more is answered with 421
            // OFR004_104 (https://postmaster.orange.fr).
            rule: LaneRule(connections: 2, messagesPerConnection: 100)),
        MailProvider(
            code: "free",
            domains: [
                "free.fr", "online.fr", "freesbee.fr", "libertysurf.fr", "worldonline.fr", "aliceadsl.fr",
                "infonie.fr", "chez.com",
            ],
            exchangerDomains: ["free.fr"],
            // https://postmaster.free.fr has no figures, but senders who take up too much are answered with 421 and
            // blocked for a day: the limits of the other French providers, with shorter connections.
            rule: LaneRule(connections: 2, messagesPerConnection: 50)),
        MailProvider(
            code: "sfr",
            // As listed at https://bentonow.com/smtp-errors/sfr.
            domains: [
                "sfr.fr", "sfr.net", "neuf.fr", "cegetel.net", "club-internet.fr", "club.fr", "numericable.fr",
                "numericable.com", "noos.fr", "9online.fr", "9business.fr", "akeonet.com", "cario.fr", "evc.net",
                "evhr.net", "guideo.fr", "mageos.com", "modulonet.fr", "netspeed.fr", "numericable-caraibes.fr",
                "sequalum.net", "tv-com.net", "valvision.fr", "waika9.com",
            ],
            exchangerDomains: ["sfr.fr"],
            // Two connections (https://bentonow.com/smtp-errors/sfr); above its limits it blocks for two hours.
            rule: LaneRule(connections: 2, messagesPerConnection: 50)),
        MailProvider(
            code: "laposte",
            domains: ["laposte.net"],
            exchangerDomains: ["laposte.net"],
            // https://bentonow.com/smtp-errors/laposte
            rule: LaneRule(connections: 2, messagesPerConnection: 100)),
        MailProvider(
            code: "bouygues",
            domains: ["bbox.fr", "bouygtel.fr"],
            exchangerDomains: ["bbox.fr", "bouyguestelecom.fr"],
            // Publishes nothing: the limits of the other French providers.
            rule: LaneRule(connections: 2, messagesPerConnection: 50)),
        MailProvider(
            code: "gmail",
            domains: ["gmail.com", "googlemail.com"],
            exchangerDomains: ["google.com", "googlemail.com"],
            // Publishes no figures (https://support.google.com/mail/answer/81126); these are KumoMTA's
            // (assets/policy-extras/shaping.toml).
            rule: LaneRule(connections: 5, messagesPerConnection: 50)),
        MailProvider(
            code: "microsoft",
            domains: [
                "hotmail.com", "hotmail.fr", "hotmail.be", "hotmail.ch", "hotmail.co.uk", "hotmail.de", "hotmail.es",
                "hotmail.it", "hotmail.ca", "outlook.com", "outlook.fr", "outlook.be", "outlook.de", "outlook.es",
                "outlook.it", "outlook.pt", "live.com", "live.fr", "live.be", "live.ca", "live.ch", "live.co.uk",
                "live.de", "live.it", "live.nl", "msn.com", "windowslive.com",
            ],
            exchangerDomains: ["mail.protection.outlook.com", "olc.protection.outlook.com", "mx.microsoft"],
            // Allows up to 500 connections (https://sendersupport.olc.protection.outlook.com/pm/Policies), but a
            // new sender far fewer; these are KumoMTA's figures.
            rule: LaneRule(connections: 5, messagesPerConnection: 50)),
        MailProvider(
            code: "yahoo",
            domains: [
                "yahoo.fr", "yahoo.com", "yahoo.be", "yahoo.ca", "yahoo.co.uk", "yahoo.de", "yahoo.es", "yahoo.it",
                "ymail.com", "rocketmail.com", "aol.com", "aol.fr", "aol.de", "aol.co.uk", "aim.com",
            ],
            exchangerDomains: ["yahoodns.net"],
            // 20 messages a connection (https://help.yahoo.com/kb/SLN3433.html), which publishes no number of
            // connections.
            rule: LaneRule(connections: 5, messagesPerConnection: 20)),
        MailProvider(
            code: "apple",
            domains: ["icloud.com", "me.com", "mac.com"],
            exchangerDomains: ["mail.icloud.com"],
            // Publishes no figures (https://support.apple.com/en-us/102322); KumoMTA has 10 connections with 5
            // messages each.
            rule: LaneRule(connections: 5, messagesPerConnection: 5)),
    ]

    private static let byDomain: [String: MailProvider] = Dictionary(
        uniqueKeysWithValues: all.flatMap { provider in provider.domains.map { ($0, provider) } })
    private static let byCode: [String: MailProvider] = Dictionary(uniqueKeysWithValues: all.map { ($0.code, $0) })

    /// The provider whose mailboxes have this domain.
    static func provider(of domain: String) -> MailProvider? { byDomain[domain.asciiLowercased] }

    /// The provider that accepts a domain's mail.
    ///
    /// - Parameter exchangers: in the order in which they are tried. Only the first counts: those behind it are backups
    ///   and may be another company's.
    static func provider(ofExchangers exchangers: [MailExchanger]) -> MailProvider? {
        exchangers.first.flatMap { first in all.first { $0.runs(exchanger: first.host) } }
    }

    /// Whether a lane of this name can be.
    static func hasLane(_ lane: String) -> Bool {
        guard lane.hasBytePrefix(LaneName.domainPrefix) else { return byCode[lane] != nil || lane == LaneName.other }
        let domain = lane.dropFirst(LaneName.domainPrefix.utf8.count)
        return DomainName.ascii(domain.utf8)?.hasSameBytes(as: domain) == true
    }

    /// The built-in rule of a lane.
    ///
    /// - Parameter connections: as many as the transport has.
    static func rule(of lane: String, connections: Int) -> LaneRule {
        if let provider = byCode[lane] { return provider.rule }
        // A server that is slow or defers is asked little.
        if lane.hasBytePrefix(LaneName.domainPrefix) { return LaneRule(connections: 1, messagesPerConnection: 20) }
        return LaneRule(connections: connections, messagesPerConnection: 100)
    }
}
