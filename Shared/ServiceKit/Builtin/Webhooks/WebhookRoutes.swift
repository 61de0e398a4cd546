import ClubProtocol
import Postgres

/// `/v1/webhooks`, `/v1/webhook-deliveries`
struct WebhookRoutes {
    let backend: Backend
    let webhooks: WebhookStore
    let deliveries: WebhookDeliveryStore
    let sender: WebhookSender
    let resolver: WebhookResolver

    func mount(on builder: inout ServiceBuilder) {
        mountWebhooks(on: &builder)
        mountDeliveries(on: &builder)
        builder.routes.constraint("webhook_place_key", Problem(.tooManyWebhooks))
        builder.routes.constraint("webhook_events_check", .invalid("/events", "must be 50 at most"))
    }

    private func mountWebhooks(on builder: inout ServiceBuilder) {
        let (webhooks, resolver, sender) = (webhooks, resolver, sender)
        builder.routes.write(
            CreateWebhook.self,
            prepare: { call in
                try await call.waitOutside { try await resolver.check(call.body.url) }
                return Empty()
            },
            { call, _, transaction in
                var (webhook, secret) = try await webhooks.create(Webhook.ID(), call.body, in: transaction)
                try await transaction.record(
                    .created, .webhook, webhook.id, version: webhook.version, values: webhook, by: call.principal)
                webhook.secret = secret.text
                var answer = RouteResponse.value(webhook, version: webhook.version)
                answer.isConfidential = true
                return answer
            })
        builder.routes.read(ListWebhooks.self) { call in
            try .page(try await webhooks.list(call.page), call.page, key: "id")
        }
        builder.routes.read(GetWebhook.self) { call in
            try .row(try await webhooks.get(call.path))
        }
        builder.routes.write(
            ChangeWebhook.self,
            prepare: { call in
                if let url = call.body.url { try await call.waitOutside { try await resolver.check(url) } }
                return Empty()
            },
            { call, _, transaction in
                let id = call.path
                let rows = try await webhooks.change(id, call.body, at: call.ifMatch, in: transaction)
                try await transaction.record(
                    .changed, .webhook, id, version: try rows.first?["version"], values: call.body, by: call.principal)
                if call.body.state == .active { try await sender.wake(id, in: transaction) }
                return try .row(rows)
            })
        builder.routes.write(DeleteWebhook.self) { call, transaction in
            try await webhooks.delete(call.path, at: call.ifMatch, in: transaction)
            try await transaction.record(.deleted, .webhook, call.path, by: call.principal)
            return .empty
        }
        builder.routes.write(RotateWebhookSecret.self) { call, transaction in
            let (rotation, version) = try await webhooks.rotate(call.path, in: transaction)
            try await transaction.record(.changed, .webhook, call.path, version: version, by: call.principal)
            var answer = RouteResponse.value(rotation)
            answer.isConfidential = true
            return answer
        }
    }

    private func mountDeliveries(on builder: inout ServiceBuilder) {
        let (webhooks, deliveries, sender) = (webhooks, deliveries, sender)
        builder.routes.write(TestWebhook.self) { call, transaction in
            let webhook = call.path
            try await webhooks.lockActive(webhook, in: transaction)
            let id = try await deliveries.addTest(webhook, in: transaction)
            try await sender.wake(webhook, in: transaction)
            return try .row(try await WebhookDeliveryLog.get(id, on: transaction))
        }
        builder.routes.read(ListWebhookDeliveries.self) { [database = backend.database] call in
            let webhook = call.path
            guard try await webhooks.get(webhook).first != nil else { throw Problem(.notFound) }
            return try .page(
                try await WebhookDeliveryLog.list(of: webhook, call.query.state, call.page, on: database), call.page,
                key: "_number")
        }
        builder.routes.read(GetWebhookDelivery.self) { [database = backend.database] call in
            try .row(try await WebhookDeliveryLog.get(call.path, on: database))
        }
        builder.routes.write(ReplayWebhookDelivery.self) { call, transaction in
            let id = call.path
            let found = try await WebhookDeliveryLog.get(id, on: transaction).first
            guard let webhook = try found?["webhook", as: Webhook.ID.self] else { throw Problem(.notFound) }
            try await webhooks.lockActive(webhook, in: transaction)
            try await deliveries.replay(id, in: transaction)
            try await sender.wake(webhook, in: transaction)
            return try .row(try await WebhookDeliveryLog.get(id, on: transaction))
        }
        builder.routes.write(ReplayWebhook.self) { call, transaction in
            let webhook = call.path
            try await webhooks.lockActive(webhook, in: transaction)
            let count = try await deliveries.replay(webhook, since: call.body.since, in: transaction)
            if count > 0 { try await sender.wake(webhook, in: transaction) }
            return .value(WebhookReplay(replayed: count))
        }
    }
}
