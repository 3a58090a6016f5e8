import Checks
import Flow
import Model
import Reader
import Testing

private let signs = Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false)
  .catalog?.signs

/// The signs of this build, as `Flows/signs` has them.
func realSigns() throws -> Signs { try #require(signs) }
