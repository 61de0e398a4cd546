import ArgumentParser
import ServiceKit

@main
struct DirectoryService: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "directory",
        abstract: "Who is in the club: organizations, people, memberships, ambassadors, experts.",
        subcommands: [
            Serve<DirectoryApplication>.self, Migrate<DirectoryApplication>.self, Probe<DirectoryApplication>.self,
        ])
}
