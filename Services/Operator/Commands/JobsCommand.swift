import ArgumentParser
import ClubProtocol
import CommandKit
import ServiceKit

/// The jobs that are no longer retried.
struct JobsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Shows dead jobs, whose attempts have all failed; revives or removes them.",
        subcommands: [List.self, Revive.self, Remove.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the dead jobs of every service.")

        func run() async throws {
            let connection = Connection()
            var table = TextTable("service", "job", "kind", "attempts", "died", "reason", right: [1, 3])
            for service in ServiceName.allCases {
                let jobs = try await connection.call(service) { client in
                    try await client.all(ListDeadJobs.self) {
                        ListDeadJobs.request(query: .init(limit: 200, cursor: $0))
                    }
                }
                for job in jobs {
                    table.add(
                        service.rawValue, "\(job.id)", job.kind, "\(job.attempts)", job.diedAt.text, job.reason ?? "")
                }
            }
            print(table.text)
        }
    }

    struct Revive: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revives a dead job, with all its attempts.")

        @Argument(help: "The service: directory, events, content or lobbying.")
        var service: ServiceName

        @Argument(help: "The job's number.")
        var job: Int64

        func run() async throws {
            _ = try await Connection().call(service) { client in
                try await client.send(RetryDeadJob.request(path: job))
            }
            print("job \(job) is queued again")
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Removes a dead job that is no longer needed.")

        @Argument(help: "The service: directory, events, content or lobbying.")
        var service: ServiceName

        @Argument(help: "The job's number.")
        var job: Int64

        func run() async throws {
            _ = try await Connection().call(service) { client in
                try await client.send(DeleteDeadJob.request(path: job))
            }
            print("job \(job) is removed")
        }
    }
}
