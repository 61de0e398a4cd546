import Postgres
import Synchronization
import TestKit
import Testing

@Suite("Transactions") struct TransactionTests {
    private struct Refusal: Error {}

    private func withAccounts(_ body: (PostgresClient) async throws -> Void) async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                try await client.execute("create table account (id int primary key, amount int not null)")
                try await client.execute("insert into account values (1, 100), (2, 100)")
                try await body(client)
            }
        }
    }

    private func expectTotal(
        _ expected: Int, _ client: PostgresClient, _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let row = try #require(try await client.first("select sum(amount)::int as total from account"))
        #expect(try row["total"] == expected, sourceLocation: location)
    }

    @Test("a transaction commits when its body returns, and rolls back when it throws")
    func commitAndRollBack() async throws {
        try await withAccounts { client in
            let moved = try await client.transaction { transaction in
                try await transaction.execute("update account set amount = amount - 10 where id = 1")
            }
            #expect(moved == 1)
            try await expectTotal(190, client)
            await #expect(throws: Refusal.self) {
                try await client.transaction { transaction in
                    try await transaction.execute("update account set amount = 0")
                    throw Refusal()
                }
            }
            try await expectTotal(190, client)
            // Nothing was sent, so there is nothing to end.
            #expect(try await client.transaction { _ in 7 } == 7)
            let error = await #expect(throws: PostgresError.self) {
                try await client.transaction(readOnly: true) { try await $0.execute("delete from account") }
            }
            #expect(error?.sqlState == SQLState.readOnlyTransaction)
        }
    }

    @Test("a statement that cannot be sent does not take the transaction's beginning with it")
    func refusedFirst() async throws {
        try await withAccounts { client in
            await #expect(throws: Refusal.self) {
                try await client.transaction { transaction in
                    do {
                        try await transaction.query("select \("a\0b")")
                        Issue.record("it was sent")
                    } catch let error as PostgresError where error.sqlState == SQLState.characterNotInRepertoire {}
                    try await transaction.execute("update account set amount = 0")
                    throw Refusal()
                }
            }
            try await expectTotal(200, client)
        }
    }

    @Test("statements that run at the same time in one body are all in its transaction")
    func concurrent() async throws {
        try await withAccounts { client in
            for _ in 0..<50 {
                await #expect(throws: Refusal.self) {
                    try await client.transaction { transaction in
                        try await withThrowingTaskGroup(of: Void.self) { group in
                            for account in 1...2 {
                                group.addTask {
                                    try await transaction.execute("update account set amount = 0 where id = \(account)")
                                }
                            }
                            try await group.waitForAll()
                        }
                        throw Refusal()
                    }
                }
                try await expectTotal(200, client)
            }
        }
    }

    @Test("a savepoint is rolled back when the task is cancelled, although the rest is committed")
    func cancelledSavepoint() async throws {
        try await withAccounts { client in
            let isInside = Meeting(of: 2)
            let task = Task {
                try await client.transaction { transaction in
                    try await transaction.execute("update account set amount = amount - 10 where id = 1")
                    try? await transaction.savepoint { part in
                        try await part.execute("update account set amount = 0")
                        await isInside.arrive()
                        try await Task.sleep(for: .seconds(60))
                    }
                }
            }
            await isInside.arrive()
            task.cancel()
            try await task.value
            try await expectTotal(190, client)
        }
    }

    @Test("an error that the body swallows is not reported as a commit")
    func swallowed() async throws {
        try await withAccounts { client in
            let error = await #expect(throws: PostgresError.self) {
                try await client.transaction { transaction in
                    try await transaction.execute("update account set amount = 0")
                    _ = try? await transaction.query("select 1 / 0")
                }
            }
            #expect(error?.sqlState == SQLState.failedTransaction)
            try await expectTotal(200, client)
        }
    }

    /// Two transactions read the sum and write it: one of them must fail, and sees the other's write only if it runs
    /// again.
    private func collide(_ client: PostgresClient, retries: Int) async throws -> (
        errors: [PostgresError], attempts: Int
    ) {
        let meeting = Meeting(of: 2)
        let errors: [PostgresError] = await withTaskGroup(of: PostgresError?.self) { group in
            for id in [1, 2] {
                group.addTask {
                    do {
                        try await client.transaction(retries: retries) { transaction in
                            try await transaction.execute("set transaction isolation level serializable")
                            let row = try #require(
                                try await transaction.first("select sum(amount)::int as total from account"))
                            let sum: Int = try row["total"]
                            // Each has read before either writes.
                            await meeting.arrive()
                            try await transaction.execute("update account set amount = \(Int32(sum)) where id = \(id)")
                        }
                        return nil
                    } catch {
                        return error as? PostgresError
                    }
                }
            }
            return await group.reduce(into: []) { if let error = $1 { $0.append(error) } }
        }
        return (errors, await meeting.arrivals)
    }

    @Test("a transaction that lost a conflict runs again as a whole")
    func serialization() async throws {
        try await withAccounts { client in
            let outcome = try await collide(client, retries: 5)
            #expect(outcome.errors.isEmpty)
            #expect(outcome.attempts > 2)
            // One wrote 200, the other saw it: 200 + 100.
            try await expectTotal(500, client)
        }
    }

    @Test("without retries the loser fails: the conflict is real")
    func serializationControl() async throws {
        try await withAccounts { client in
            let outcome = try await collide(client, retries: 0)
            #expect(outcome.errors.map(\.sqlState) == [SQLState.serializationFailure])
            #expect(outcome.attempts == 2)
        }
    }

    /// Two transactions lock two rows in opposite order.
    private func deadlock(_ client: PostgresClient, retries: Int) async throws -> [PostgresError] {
        let meeting = Meeting(of: 2)
        return await withTaskGroup(of: PostgresError?.self) { group in
            for (first, second) in [(1, 2), (2, 1)] {
                group.addTask {
                    do {
                        try await client.transaction(retries: retries) { transaction in
                            try await transaction.execute("set local deadlock_timeout = '20ms'")
                            try await transaction.execute("update account set amount = amount + 1 where id = \(first)")
                            await meeting.arrive()
                            try await transaction.execute("update account set amount = amount + 1 where id = \(second)")
                        }
                        return nil
                    } catch {
                        return error as? PostgresError
                    }
                }
            }
            return await group.reduce(into: []) { if let error = $1 { $0.append(error) } }
        }
    }

    @Test("a deadlock's victim runs again")
    func deadlock() async throws {
        try await withAccounts { client in
            let errors = try await deadlock(client, retries: 5)
            #expect(errors.isEmpty)
            try await expectTotal(204, client)
        }
    }

    @Test("without retries the deadlock's victim fails")
    func deadlockControl() async throws {
        try await withAccounts { client in
            let errors = try await deadlock(client, retries: 0)
            #expect(errors.map(\.sqlState) == [SQLState.deadlockDetected])
            try await expectTotal(202, client)
        }
    }

    @Test("a savepoint rolls back only its own part")
    func savepoints() async throws {
        try await withAccounts { client in
            try await client.transaction { transaction in
                try await transaction.execute("update account set amount = 50 where id = 1")
                _ = try? await transaction.savepoint { part in
                    try await part.execute("update account set amount = 0")
                    try await part.execute("insert into account values (1, 1)")
                }
                try await transaction.savepoint { part in
                    try await part.savepoint { try await $0.execute("update account set amount = 60 where id = 2") }
                }
            }
            try await expectTotal(110, client)
        }
    }

    @Test("a batch is one round trip, and stops at the first failure")
    func batch() async throws {
        try await withAccounts { client in
            let sums = try await client.transaction { transaction in
                try await transaction.batch([
                    "update account set amount = amount + \(1)", "select sum(amount)::int as total from account",
                    "select \(3) as total",
                ])
            }
            #expect(sums.map(\.affected) == [2, 1, 1])
            #expect(try sums[1][0]["total"] == 202)
            let error = await #expect(throws: PostgresError.self) {
                try await client.transaction { transaction in
                    try await transaction.batch(["delete from account", "select 1 / \(0)", "select 1"])
                }
            }
            #expect(error?.sqlState == "22012")
            try await expectTotal(202, client)
        }
    }

    @Test("a statement that is sent with the commit is part of the transaction, also if it is the only one")
    func closing() async throws {
        try await withAccounts { client in
            try await client.transaction { transaction in
                try transaction.commit(with: "update account set amount = amount * 2")
                try await transaction.execute("update account set amount = 50 where id = 1")
            }
            try await expectTotal(300, client)
            try await client.transaction { transaction in
                try transaction.commit(with: "update account set amount = 1 where id = 1")
                try transaction.commit(with: "update account set amount = 2 where id = 2")
            }
            try await expectTotal(3, client)
            await #expect(throws: Refusal.self) {
                try await client.transaction { transaction in
                    try transaction.commit(with: "update account set amount = 0")
                    throw Refusal()
                }
            }
            await #expect(throws: PostgresError.self) {
                try await client.transaction { try $0.commit(with: "select \("a\0b")") }
            }
            try await expectTotal(3, client)
        }
    }

    @Test("a failure of what is sent with the commit rolls everything back, and the connection can be used again")
    func failedClosing() async throws {
        try await withAccounts { client in
            try await client.withConnection { connection in
                for round in 0..<3 {
                    let error = await #expect(throws: PostgresError.self) {
                        try await connection.transaction { transaction in
                            try await transaction.execute("update account set amount = 0")
                            try transaction.commit(with: "insert into account values (1, \(round))")
                        }
                    }
                    #expect(error?.sqlState == SQLState.uniqueViolation)
                    try await connection.transaction { transaction in
                        try await transaction.execute("update account set amount = amount + 1")
                    }
                }
            }
            try await expectTotal(206, client)
        }
    }

    @Test("a transaction whose closing statement lost a conflict runs again as a whole")
    func closingConflict() async throws {
        try await withAccounts { client in
            try await client.execute(
                """
                create function conflict_once() returns trigger language plpgsql as $$ begin
                    if nextval('attempt') = 1 then
                        raise serialization_failure;
                    end if;
                    return new;
                end $$
                """)
            try await client.execute("create sequence attempt")
            try await client.execute(
                "create trigger conflict before insert on account for each row execute function conflict_once()")
            let runs = Mutex(0)
            try await client.transaction { transaction in
                runs.withLock { $0 += 1 }
                try await transaction.execute("update account set amount = amount + 1")
                try transaction.commit(with: "insert into account values (3, 0)")
            }
            #expect(runs.withLock(\.self) == 2)
            try await expectTotal(202, client)
        }
    }

    @Test("a transaction on a leased connection works the same, and can be followed by another")
    func lent() async throws {
        try await withAccounts { client in
            try await client.withConnection { connection in
                try await connection.transaction { try await $0.execute("update account set amount = 1 where id = 1") }
                await #expect(throws: Refusal.self) {
                    try await connection.transaction { transaction in
                        try await transaction.execute("update account set amount = 0")
                        throw Refusal()
                    }
                }
                #expect(try await connection.query("select 1").count == 1)
            }
            try await expectTotal(101, client)
        }
    }

    @Test("nothing can be done with a transaction that has ended")
    func ended() async throws {
        try await withAccounts { client in
            let escaped = try await client.transaction { transaction in transaction }
            let error = await #expect(throws: PostgresError.self) { try await escaped.execute("delete from account") }
            #expect(error?.kind == .connection)
        }
    }
}
