import ArgumentParser
import AsyncHTTPClient
import ClubProtocol
import CommandKit
import ServiceKit

@main
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Fills the club with as many records as it has, and runs its main processes once.",
        discussion: """
            Loads 30 institutions, 40 brands, 1,200 ambassadors and 5,150 experts, changes a representative, merges two \
            records of one person and undoes it, tries a table with bad rows, exports one, opens a meeting of 100 seats \
            and registers 130 people, cancels three, sends a Flash info to all who agreed, handles a bounce and a departure \
            and mails a reader who was missed, searches experts, counts the coverage, shows three experts in the public \
            directory, refers a firm to one who accepts, and records a meeting of the Cercle. \
            Everything goes over the public API. Run again, it finds its records and duplicates nothing.
            """)

    @Option(help: "A folder for pictures, such as the map of where the experts are; none are drawn without it.")
    var pictures: String?

    func run() async throws {
        let connection = Connection()
        try connection.refuseToken("the demo acts for several people")
        let http = HTTPClient.shared
        let directory = try connection.client(for: .directory, http: http)
        let demo = Demo(
            directory: directory,
            events: try connection.client(for: .events, http: http),
            content: try connection.client(for: .content, http: http),
            lobbying: try connection.client(for: .lobbying, http: http),
            network: DemoNetwork(
                directory: directory, address: connection.publicURL(of: .directory), pictures: pictures
            ) {
                try connection.client(for: .directory, as: $0, organization: $1, person: $2, http: http)
            },
            announce: { try? OpenFile.standardError.write("\($0)\n".utf8) })
        let report = try await demo.run()
        print(report.table.text)
        print()
        // Not in the table, whose cells are wrapped.
        for address in report.addresses { print("\(address.of): \(address.url)") }
    }
}
