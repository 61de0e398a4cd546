import ArgumentParser
import ClubProtocol
import CommandKit
import ServiceKit

/// The webhooks of outside systems, and the events that were not delivered.
struct WebhooksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhooks", abstract: "Shows webhooks and their deliveries; sends failed ones again.",
        subcommands: [List.self, Log.self, Replay.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the webhooks of every service.")

        func run() async throws {
            let connection = Connection()
            var table = TextTable("service", "webhook", "state", "failing since", "events", "url")
            for service in ServiceName.allCases {
                let webhooks = try await connection.call(service) { client in
                    // A service has at most 32.
                    try await client.send(ListWebhooks.request(query: .init(limit: 200))).items
                }
                for webhook in webhooks {
                    let state = webhook.disabledReason.map { "disabled (\($0.rawValue))" } ?? webhook.state.rawValue
                    table.add(
                        service.rawValue, webhook.id.text, state, webhook.failingSince?.text ?? "",
                        webhook.events.isEmpty ? "all" : webhook.events.map(\.text).joined(separator: " "),
                        webhook.url.text)
                }
            }
            print(table.text)
        }
    }

    struct Log: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the latest deliveries of a webhook.")

        @Argument(help: "The service: directory, events, content or lobbying.")
        var service: ServiceName

        @Argument(help: "The webhook's identifier.")
        var webhook: Webhook.ID

        @Option(help: "Only those in this state: pending, sending, delivered or exhausted.")
        var state: WebhookDelivery.State?

        func run() async throws {
            let page = try await Connection().call(service) { client in
                try await client.send(
                    ListWebhookDeliveries.request(path: webhook, query: .init(.init(state: state))))
            }
            var table = TextTable("delivery", "type", "state", "attempts", "answer", "made", right: [3])
            for delivery in page.items {
                table.add(
                    delivery.id.text, delivery.type, delivery.state.rawValue, "\(delivery.attempts)",
                    delivery.lastStatus.map(String.init) ?? delivery.lastFailure?.rawValue ?? "",
                    delivery.createdAt.text)
            }
            print(table.text)
            if page.next != nil { print("… and older ones") }
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sends the failed deliveries of a webhook again.",
            discussion: "A disabled webhook must be made active first.")

        @Argument(help: "The service: directory, events, content or lobbying.")
        var service: ServiceName

        @Argument(help: "The webhook's identifier.")
        var webhook: Webhook.ID

        @Option(help: "From this time on, as 2027-03-14T09:30:00Z.")
        var since: Timestamp

        func run() async throws {
            let replay = try await Connection().call(service) { client in
                try await client.send(
                    ReplayWebhook.request(path: webhook, body: .init(since: since)))
            }
            print("\(replay.replayed) deliveries are sent again")
        }
    }
}

extension ServiceName: ExpressibleByArgument {}
extension WebhookDelivery.State: ExpressibleByArgument {}

extension Identifier: ExpressibleByArgument {
    package init?(argument: String) { try? self.init(validating: argument) }
}

extension Timestamp: ExpressibleByArgument {
    package init?(argument: String) { try? self.init(validating: argument) }
}
