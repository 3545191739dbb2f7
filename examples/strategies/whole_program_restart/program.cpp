// A server in a thread of its own; what is typed is asked of it by a client each.
#include <moult/moult.hpp>

#include <cerrno>
#include <iostream>
#include <system_error>

#include "server.hpp"

/// A socket whose address the system chooses.
static int listen_somewhere() {
  const int listening = ::socket(AF_UNIX, SOCK_SEQPACKET, 0);
  const sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (::bind(listening, reinterpret_cast<const sockaddr*>(&address), sizeof address.sun_family) != 0 ||
      ::listen(listening, 8) != 0)
    throw std::system_error(errno, std::generic_category(), "no socket to listen on");
  return listening;
}

Resources resources{.listening = listen_somewhere()};

static void serve(Resources& kept) {
  const char* const motto = "at your service";
  for (std::string word; word != "stop";) {
    moult::static_update_point("between clients");
    const int connection = ::accept(kept.listening, nullptr, nullptr);
    word = receive(connection);
    send(connection, std::to_string(++kept.answered) + ". " + motto + ", " + word);
    ::close(connection);
  }
}

int main() {
  const moult::Listener listener;
  const moult::Thread server("server", [] { serve(resources); });
  for (std::string word; std::cin >> word;) std::cout << ask(resources.listening, word) << std::endl;
  ask(resources.listening, "stop");
}
