import Checks
import Flow
import Model
import Reader
import Testing

/// The signs of this build, as `Flows/signs` has them.
func realSigns() throws -> Signs {
  try #require(
    Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false).catalog
  ).signs
}
