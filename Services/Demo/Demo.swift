import ClubProtocol
import CommandKit
import ServiceKit

/// The club's main work, demonstrated on a realistic number of people over the public protocol only.
struct Demo: Sendable {
    let directory: ServiceClient
    let events: ServiceClient
    let content: ServiceClient
    let lobbying: ServiceClient
    let network: DemoNetwork
    /// Called with each step as it begins.
    let announce: @Sendable (String) -> Void

    /// What a step did: a sentence with its figures.
    typealias Outcome = String

    /// What each step did, how long it took, and what to open in a browser.
    struct Report {
        var table: TextTable
        var addresses: [(of: String, url: String)]
    }

    /// Runs the steps in order.
    func run() async throws -> Report {
        var table = TextTable("step", "what happened", "time", right: [2])
        func step(
            _ name: String, of service: ServiceName, _ work: () async throws -> Outcome
        ) async throws {
            announce(name)
            let clock = ContinuousClock()
            let start = clock.now
            let outcome: Outcome
            do {
                outcome = try await work()
            } catch {
                throw CommandFailure(calling: service, error)
            }
            table.add(name, outcome, Self.seconds(clock.now - start))
        }

        try await step("institutions and brands", of: .directory) { try await loadOrganizations() }
        try await step("contributions", of: .directory) { try await DemoContributions(directory: directory).call() }
        try await step("bank statement", of: .directory) { try await DemoBank(directory: directory).book() }
        try await step("ambassadors", of: .directory) { try await loadAmbassadors() }
        try await step("experts", of: .directory) { try await loadExperts() }
        let records = DemoRecords(directory: directory)
        try await step("mandates", of: .directory) { try await records.represent() }
        try await step("merge and undo", of: .directory) { try await records.mergeAndUndo() }
        try await step("import", of: .directory) { try await records.tryTable() }
        try await step("export", of: .directory) { try await records.export() }
        let meeting = DemoMeeting(events: events)
        try await step("Club des Partenaires", of: .events) { try await meeting.open() }
        let people = try await knownPeople().values.sorted()
        try await step("registrations", of: .events) { try await meeting.register(people) }
        try await step("three cancel", of: .events) { try await meeting.cancelThree(of: people) }
        try await step("Flash info", of: .content) { try await DemoFlashInfo(content: content).send() }
        try await step("what came back", of: .content) { try await DemoReturns(content: content).handle() }
        try await step("search", of: .directory) { try await network.search() }
        try await step("coverage", of: .directory) { try await network.coverage() }
        try await step("public directory", of: .directory) { try await network.publish() }
        try await step("referral", of: .directory) { try await network.refer() }
        try await step("Cercle", of: .lobbying) { try await DemoCircle(lobbying: lobbying).record() }
        try await step("rights", of: .directory) { try await DemoRights(directory: directory).exercise() }
        var addresses = [("a page of the public directory", try await network.page())]
        if let map = try await network.map() { addresses.append(("where the experts are", map)) }
        return Report(table: table, addresses: addresses.map { (of: $0.0, url: $0.1) })
    }

    private static func seconds(_ duration: Duration) -> String {
        let tenths = duration.components.seconds * 10 + duration.components.attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10) s"
    }
}

/// Runs `body` for each item, `width` at a time; the first error stops it.
func forEach<Item: Sendable>(
    _ items: some Sequence<Item>, width: Int, _ body: @escaping @Sendable (Item) async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        var running = 0
        for item in items {
            if running == width {
                try await group.next()
                running -= 1
            }
            group.addTask { try await body(item) }
            running += 1
        }
        try await group.waitForAll()
    }
}
