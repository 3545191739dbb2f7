#include "server.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>
#include <unordered_map>

#include "connection.hpp"

namespace key_value {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Descriptor listen_on(std::uint16_t port) {
  Descriptor socket(checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
  const int on = 1;
  checked(::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "setsockopt");
  const sockaddr_in address = loopback(port);
  checked(::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  checked(::listen(socket.number(), SOMAXCONN), "listen");
  return socket;
}

/// What one thread does: it accepts connections and serves them to their ends.
class EventLoop final {
 public:
  EventLoop(Database& database, int listening, int stop)
      : database_(database),
        listening_(listening),
        stop_(stop),
        epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
    checked(watch(EPOLL_CTL_ADD, stop_, EPOLLIN), "epoll_ctl");
    checked(watch(EPOLL_CTL_ADD, listening_, EPOLLIN | EPOLLEXCLUSIVE), "epoll_ctl");
  }

  void run() {
    std::array<epoll_event, 64> events;
    for (;;) {
      const int count = ::epoll_wait(epoll_.number(), events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const int ready = events[static_cast<std::size_t>(i)].data.fd;
        if (ready == stop_) return;
        ready == listening_ ? accept_one() : serve(ready);
      }
    }
  }

 private:
  struct Client {
    Connection connection;
    std::uint32_t awaited;
  };

  int watch(int operation, int descriptor, std::uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = descriptor;
    return ::epoll_ctl(epoll_.number(), operation, descriptor, &event);
  }

  /// Another thread may have been quicker, and a client may be gone again.
  void accept_one() {
    Descriptor socket(::accept4(listening_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) return;
    const int on = 1;
    static_cast<void>(::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    const int number = socket.number();
    if (watch(EPOLL_CTL_ADD, number, EPOLLIN) != 0) return;
    clients_.emplace(number, Client{Connection(std::move(socket)), EPOLLIN});
  }

  void serve(int descriptor) {
    const auto found = clients_.find(descriptor);
    if (found == clients_.end()) return;
    Client& client = found->second;
    if (!client.connection.serve(database_)) {
      clients_.erase(found);
      return;
    }
    const std::uint32_t awaited = client.connection.has_unsent() ? EPOLLOUT : EPOLLIN;
    if (awaited == client.awaited) return;
    static_cast<void>(watch(EPOLL_CTL_MOD, descriptor, awaited));
    client.awaited = awaited;
  }

  Database& database_;
  int listening_;
  int stop_;
  Descriptor epoll_;
  std::unordered_map<int, Client> clients_;
};

}  // namespace

Server::Server(Database& database, std::uint16_t port, unsigned threads)
    : listening_(listen_on(port)), stop_(checked(::eventfd(0, EFD_CLOEXEC), "eventfd")) {
  for (unsigned i = 0; i < threads; ++i) {
    loops_.emplace_back([this, &database, i] {
      ::pthread_setname_np(::pthread_self(), ("loop " + std::to_string(i)).c_str());
      EventLoop(database, listening_.number(), stop_.number()).run();
    });
  }
}

Server::~Server() { static_cast<void>(::eventfd_write(stop_.number(), 1)); }

std::uint16_t Server::port() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  checked(::getsockname(listening_.number(), reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  return ntohs(address.sin_port);
}

}  // namespace key_value
