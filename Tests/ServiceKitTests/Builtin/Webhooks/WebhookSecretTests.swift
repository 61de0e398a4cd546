import ClubProtocol
import Crypto
import Foundation
import Testing

@testable import ServiceKit

@Suite("Secrets and signatures of webhooks")
struct WebhookSecretTests {
    @Test("a signature equals that of the specification's own libraries")
    func vector() throws {
        // From the tests of github.com/standard-webhooks/standard-webhooks.
        let secret = try #require(WebhookSecret(text: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let signature = secret.signature(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8))
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test("a secret has 24 to 64 bytes, reads back as it was, and is never printed")
    func texts() throws {
        let secret = WebhookSecret()
        #expect(secret.text.hasPrefix("whsec_"))
        #expect(WebhookSecret(text: secret.text) == secret)
        #expect(WebhookSecret() != secret)
        for count in [0, 23, 65] {
            #expect(WebhookSecret(text: "whsec_" + Data(count: count).base64EncodedString()) == nil)
        }
        #expect(WebhookSecret(text: Data(count: 32).base64EncodedString()) == nil)
        #expect(String(describing: secret) == "WebhookSecret")
        #expect(String(reflecting: secret) == "WebhookSecret")
        let key = String(secret.text.dropFirst(6).prefix(8))
        #expect(!String(describing: [secret]).contains(key))
    }

    @Test("an encrypted secret opens with its key, for its webhook, and not otherwise")
    func sealing() throws {
        let (key, other) = (SymmetricKey(size: .bits256), SymmetricKey(size: .bits256))
        let (mine, yours) = (Webhook.ID(), Webhook.ID())
        let secret = WebhookSecret()
        let sealed = try secret.sealed(with: key, for: mine)
        #expect(try WebhookSecret(sealed: sealed, with: key, for: mine) == secret)
        #expect(try secret.sealed(with: key, for: mine) != sealed)
        #expect(throws: Sealed.CannotBeOpened.self) { try WebhookSecret(sealed: sealed, with: other, for: mine) }
        #expect(throws: Sealed.CannotBeOpened.self) { try WebhookSecret(sealed: sealed, with: key, for: yours) }
        #expect(throws: Sealed.CannotBeOpened.self) { try WebhookSecret(sealed: [1, 2, 3], with: key, for: mine) }
    }
}
