import Testing
@Test func start() { #expect(1 + 1 == 2) }
