import ClubProtocol
import CommandKit
import FoundationEssentials
import ServiceKit

/// How people find each other in the network: by words, on the map, through an ambassador's referral, and in the public
/// directory.
struct DemoNetwork: Sendable {
    static let need: Prose = "Une boulangerie veut prendre des commandes en ligne avant Noël."
    /// Misspelt, as people type.
    static let words: Line = "infromatique"
    static let near: PostalCode = "64000"
    private static let enough = 3

    /// As the club's staff.
    let directory: ServiceClient
    /// The directory's address, as a browser on this machine reaches it.
    let address: String
    /// The folder that pictures are written to; nil draws none.
    let pictures: String?
    /// A client with the rights of another caller.
    let acting: @Sendable (Role, Organization.ID?, Person.ID?) throws -> ServiceClient

    /// A misspelt word still finds experts, nearest first.
    func search() async throws -> Demo.Outcome {
        // A job indexes the words of new experts soon after they are written.
        let clock = ContinuousClock()
        let end = clock.now + .seconds(120)
        while true {
            let found = try await directory.send(CountExperts.request(query: .init(q: Self.words)))
            if let reading = found.readings.first(where: { !$0.takenFor.isEmpty }) {
                let page = try await directory.send(
                    SearchExperts.request(query: .init(.init(.init(q: Self.words), near: Self.near), limit: 3)))
                let nearest = page.items.map { "\($0.name) (\($0.place))" }.joined(separator: ", ")
                return "“\(reading.typed)” read as “\(reading.takenFor[0])”: \(found.counted) experts; nearest to "
                    + "\(Self.near): \(nearest)"
            }
            guard clock.now < end else {
                throw CommandFailure(
                    "no expert is found by “\(Self.words)” after two minutes; is the job “expert.words” running?")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    func coverage() async throws -> Demo.Outcome {
        let coverage = try await directory.send(GetCoverage.request(query: .init(of: .experts)))
        let gaps: [CoverageGap] = try await directory.all(ListCoverageGaps.self) {
            ListCoverageGaps.request(
                query: .init(.init(.init(of: .experts), enough: Self.enough), limit: 200, cursor: $0))
        }
        let served = coverage.departements.count { ($0.experts ?? 0) > 0 }
        return "experts in \(served) of \(coverage.departements.count) départements; \(gaps.count) gaps of fewer than "
            + "\(Self.enough) by topic"
    }

    /// Draws the map, which only the club's staff may see, into a file; returns its address for a browser.
    func map() async throws -> String? {
        guard let pictures else { return nil }
        let drawing = try await directory.send(GetCoverageMap.request(query: .init(of: .experts)))
        let path = "\(pictures)/coverage.svg"
        do {
            try OpenFile.makeFolder(pictures)
            let file = try OpenFile(writing: path)
            try file.write(drawing.text.utf8)
            try file.close()
        } catch {
            throw CommandFailure("\(path) cannot be written: \(error)")
        }
        return URL(filePath: path).absoluteString
    }

    /// Three experts consent, each with its own token, and appear in the public directory at once.
    func publish() async throws -> Demo.Outcome {
        let (_, experts) = try await cast()
        var agreed = 0
        for expert in experts where expert.consents.publicDirectory?.agreed != true {
            _ = try await acting(.expert, Organization.ID(expert.id.uuid), nil).send(
                ChangeExpert.request(
                    path: expert.id, body: .init(consents: .init(publicDirectory: true)),
                    ifMatch: expert.version))
            agreed += 1
        }
        guard let first = experts.first else { throw CommandFailure("the demo's experts are gone") }
        let page = try await directory.send(ShowExpert.request(path: first.id))
        guard page.text.contains("<h1>") else { throw CommandFailure("the page of \(first.name) is empty") }
        return "\(agreed) experts agreed; \(first.name) is shown"
    }

    /// Returns the address of an expert's public page for a browser.
    func page() async throws -> String {
        guard let first = try await cast().1.first else { throw CommandFailure("the demo's experts are gone") }
        return "\(address)/annuaire/experts/\(first.id)"
    }

    /// An ambassador sends a firm's need to the experts that match best; the best one accepts.
    func refer() async throws -> Demo.Outcome {
        let (ambassador, experts) = try await cast()
        let own = try acting(.ambassador, nil, ambassador.person)
        let referral: Referral
        let known: [Referral] = try await own.all(ListReferrals.self) {
            ListReferrals.request(query: .init(.init(ambassador: ambassador.id), limit: 200, cursor: $0))
        }
        if let earlier = known.first(where: { $0.description == Self.need }) {
            referral = earlier
        } else {
            guard let first = experts.first, let topic = first.topics.first else {
                throw CommandFailure("the demo's experts are gone")
            }
            referral = try await own.send(
                CreateReferral.request(
                    body: .init(
                        topics: [topic], postalCode: first.postalCode ?? Self.near,
                        departement: ambassador.departements.first,
                        description: Self.need, firm: Firm(name: "Boulangerie du Marché", telephone: "0559000000"),
                        ambassador: ambassador.id)))
        }
        var offers = try await self.offers(of: referral)
        if offers.isEmpty {
            let matches = try await own.send(
                ListReferralMatches.request(path: referral.id, query: .init(limit: 3)))
            guard !matches.items.isEmpty else { throw CommandFailure("no expert matches the demo's referral") }
            offers = try await own.send(
                SendReferral.request(
                    path: referral.id, body: .init(experts: matches.items.map(\.expert)))
            ).items
        }
        if referral.state == .open, let chosen = offers.first(where: { $0.state == .sent }) {
            _ = try await acting(.expert, Organization.ID(chosen.expert.uuid), nil).send(
                ChangeReferralOffer.request(
                    path: chosen.id, body: .init(state: .accepted), ifMatch: chosen.version))
            offers = try await self.offers(of: referral)
        }
        guard let taken = offers.first(where: { $0.state == .accepted || $0.state == .done }) else {
            throw CommandFailure("no expert accepted the demo's referral")
        }
        let expert = try await directory.send(GetExpert.request(path: taken.expert))
        let others = offers.count { $0.state == .withdrawn }
        return "\(ambassador.name) asked \(offers.count) experts by mail; \(expert.name) accepted and sees the firm, "
            + "\(others) no longer need to answer"
    }

    private func offers(of referral: Referral) async throws -> [ReferralOffer] {
        try await directory.all(ListReferralOffers.self) {
            ListReferralOffers.request(query: .init(.init(referral: referral.id), limit: 200, cursor: $0))
        }
    }

    /// The first ambassador in whose département three experts share a topic, and those three: the same on every run.
    private func cast() async throws -> (Ambassador, [Expert]) {
        let ambassadors = try await directory.send(
            ListAmbassadors.request(query: .init(.init(enrolled: true), limit: 20)))
        for ambassador in ambassadors.items {
            guard let departement = ambassador.departements.first else { continue }
            let there = try await directory.send(
                ListExperts.request(query: .init(.init(.init(serves: departement, enrolled: true)), limit: 50)))
            for topic in there.items.compactMap(\.topics.first) {
                let experts = there.items.filter { $0.topics.first == topic }
                if experts.count >= 3 { return (ambassador, Array(experts.prefix(3))) }
            }
        }
        throw CommandFailure("no ambassador of the demo has three experts around")
    }
}
