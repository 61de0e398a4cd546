import ArgumentParser
import ServiceKit

@main
struct LobbyingService: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lobbying",
        abstract: "The club's lobbying: officials, mandates, the Cercle's meetings.",
        subcommands: [
            Serve<LobbyingApplication>.self, Migrate<LobbyingApplication>.self, Probe<LobbyingApplication>.self,
        ])
}
