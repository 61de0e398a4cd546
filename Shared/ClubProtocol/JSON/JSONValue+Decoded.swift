extension JSONValue {
    /// Decodes this value as a type of the protocol; used by followers of a change feed to read `data`.
    package func decoded<T: Decodable>(as type: T.Type) throws -> T {
        try LenientJSON.decode(type, from: WireJSON.encode(self))
    }
}
