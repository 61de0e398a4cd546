import Dispatch
import ServiceLifecycle

/// Looks at the trust file again and again, on a thread that may wait: a disk that does not answer stops no request.
struct TrustFileWatch: Service {
    let verifier: TokenVerifier
    var interval = Duration.seconds(2)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: interval)
                await withCheckedContinuation { continuation in
                    DispatchQueue.global().async {
                        verifier.lookAtTrustFile()
                        continuation.resume()
                    }
                }
            }
        }
    }
}
