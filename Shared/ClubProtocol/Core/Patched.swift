/// A field of a merge patch (RFC 7396): absent leaves it unchanged, `null` clears it, a value sets it.
package typealias Patched<Value> = Value??
