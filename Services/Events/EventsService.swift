import ArgumentParser
import ServiceKit

@main
struct EventsService: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "The club's events: sessions, seats, registrations.",
        subcommands: [Serve<EventsApplication>.self, Migrate<EventsApplication>.self, Probe<EventsApplication>.self])
}
