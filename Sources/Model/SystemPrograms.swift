/// Programs of the system that are run: only from its own folders, never by PATH, which may be anybody's.
public enum SystemPrograms {
  /// Where the system keeps them; some are not on everyone's PATH.
  public static let folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]

  /// The paths at which a program of this name may be, the first one first.
  public static func places(_ name: String) -> [String] { folders.map { "\($0)/\(name)" } }
}
