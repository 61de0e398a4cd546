import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit

/// `/v1/bank-statements`
struct BankStatementRoutes {
    let backend: Backend

    private struct Taken: Encodable, Sendable {
        var sha256: String
        var added: Int
    }

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.upload(ImportBankStatement.self, take)
        builder.routes.read(ListBankStatements.self, list)
        builder.routes.read(GetBankStatement.self, get)
    }

    @Sendable func take(
        _ call: Call<ImportBankStatement>, _ body: UploadBody
    ) async throws -> RouteResponse<BankStatement> {
        // No transaction is open while waiting for the network.
        let spooled = try await BankFileReader.spool(body)
        let (file, sha256) = try await BankFileReader.read(spooled, account: call.query.account?.text)
        return try await backend.database.transaction { transaction in
            var file = file
            try await BankStatementStore.lock(in: transaction)
            let accounts = try await BankAlikeStore.accounts(file.accounts, in: transaction)
            file.rename(accounts.names)
            let known = try await BankStatementStore.find(sha256, file.accounts, in: transaction)
            if !known.isEmpty {
                var answer: RouteResponse<BankStatement> = try .row(known)
                answer.status = .ok
                return answer
            }
            let id = BankStatement.ID()
            let rows = try await BankStatementStore.insert(
                id, file, said: accounts, sha256: sha256, name: call.query.name, in: transaction)
            try await BankAlikeStore.mark(id, file, said: accounts, in: transaction)
            let taken = Taken(sha256: sha256, added: try rows.first?["added"] ?? 0)
            try await transaction.record(.created, .bankStatement, id, values: taken, by: call.principal)
            return try .row(rows)
        }
    }

    @Sendable func list(_ call: Call<ListBankStatements>) async throws -> RouteResponse<Page<BankStatement>> {
        try .page(try await BankStatementStore.list(call.page, on: backend.database), call.page, key: "_key", "id")
    }

    @Sendable func get(_ call: Call<GetBankStatement>) async throws -> RouteResponse<BankStatement> {
        try .row(try await BankStatementStore.get(call.path, on: backend.database))
    }
}
