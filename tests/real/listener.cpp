// Preloaded into a program that was not built for moult: makes it listen. Not destroyed, like the program's own
// threads.
#include "moult/listener.hpp"

[[gnu::constructor]] static void listen() {
  static moult::Listener& only = *new moult::Listener();
  static_cast<void>(only);
}
