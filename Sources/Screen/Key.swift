/// One key as a terminal tells it.
public enum Key: Sendable, Hashable {
  case character(Character)
  /// A letter with Ctrl.
  case control(Character)
  case enter, escape, tab, backTab, backspace, delete
  case up, down, left, right, pageUp, pageDown, home, end
  case function(Int)
  /// Text that was pasted at once, as the terminal marked it.
  case paste(String)
  /// A sequence that no key here sends.
  case other
}
