import ArgumentParser

@main
struct ClubCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "club",
        abstract: "Runs the club from the command line.",
        discussion: """
            Every command calls the services through their API, as any other client does. Their addresses are in \
            DIRECTORY_URL, EVENTS_URL, CONTENT_URL and LOBBYING_URL (http://127.0.0.1:7001 to 7004 unless set). You are \
            identified by the token in CLUB_TOKEN, or by the operator's key in OPERATOR_KEY_FILE.
            """,
        subcommands: [
            HealthCommand.self, TokenCommand.self, KeysCommand.self, ImportCommand.self, ExportCommand.self,
            IssueCommand.self, MailCommand.self, WebhooksCommand.self, JobsCommand.self, AuditCommand.self,
        ])
}
