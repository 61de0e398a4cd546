import ClubProtocol
import Logging
import ServiceLifecycle

/// Asks each peer now and then, so that a warning about one does not wait for the next request, nor outlive the trouble.
struct PeerProbe: Service {
    let peers: Peers
    let names: [ServiceName]
    let interval: Duration

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await withDiscardingTaskGroup { group in
                    for name in names {
                        group.addTask {
                            // The outcome is kept by the client itself; an answer of any kind is a sign of life.
                            _ = try? await peers[name].send(ReadChanges.request(query: .init(wait: 0, limit: 1)))
                        }
                    }
                }
                try? await Task.sleep(for: interval * Double.random(in: 0.8...1.2))
            }
        }
    }
}
