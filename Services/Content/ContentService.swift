import ArgumentParser
import ServiceKit

@main
struct ContentService: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "content",
        abstract: "The club's content: resources, the Flash info and its mailings.",
        subcommands: [Serve<ContentApplication>.self, Migrate<ContentApplication>.self, Probe<ContentApplication>.self])
}
