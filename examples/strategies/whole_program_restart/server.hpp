// What a server keeps when it is started anew, and its sockets, for the program and its updates.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

struct Resources {
  int listening;     ///< the socket that clients come by
  int answered = 0;  ///< how many so far
};
extern Resources resources;

/// Everything that is said on a connection.
inline std::string receive(int connection) {
  std::string text(64, '\0');
  const ssize_t size = ::recv(connection, text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

inline void send(int connection, const std::string& text) {
  ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
}

/// A client: connects, says one word and returns the answer.
inline std::string ask(int listening, const std::string& word) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  ::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size);
  const int connection = ::socket(AF_UNIX, SOCK_SEQPACKET, 0);
  if (::connect(connection, reinterpret_cast<sockaddr*>(&address), size) != 0) return "nobody there";
  send(connection, word);
  std::string answer = receive(connection);
  ::close(connection);
  return answer;
}
