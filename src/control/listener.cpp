#include "moult/listener.hpp"

#include <unistd.h>

#include <exception>
#include <filesystem>
#include <new>
#include <stop_token>
#include <thread>
#include <utility>

#include "base/own_thread.hpp"
#include "control/progress_page.hpp"
#include "control/server.hpp"
#include "moult/error.hpp"
#include "platform/sockets.hpp"
#include "protocol/leftovers.hpp"
#include "protocol/progress_file.hpp"

namespace moult {
namespace {

/// Made while there is memory; a copy of it takes none.
const Error& no_memory() {
  static const Error& only = *new Error(ErrorCode::no_room, "the listener: there is no memory for it");
  return only;
}
[[gnu::constructor]] void make_error_beforehand() { static_cast<void>(no_memory()); }

constexpr std::size_t least_token_size = 16;

internal::PathSocket listen_in_runtime_folder() {
  const auto surroundings = internal::RuntimeSurroundings::of_this_process();
  internal::remove_leftovers(surroundings);
  return internal::listen_at(
      (internal::make_runtime_folder(surroundings) / internal::socket_name(::getpid())).string());
}

internal::Fd listen_on_tcp(const ListenerOptions& options) {
  if (options.tcp_port == 0) return internal::Fd();
  if (options.token.size() < least_token_size)
    throw Error(ErrorCode::invalid_argument,
                "a listener on TCP needs a token of at least 16 characters: every user of this machine can connect");
  return internal::listen_on_loopback(options.tcp_port);
}

}  // namespace

class Listener::Impl final {
 public:
  Impl(internal::PathSocket local, internal::Fd tcp, std::string token)
      : path_(local.path.path()),
        progress_((std::filesystem::path(path_).parent_path() / internal::progress_name(::getpid())).string()),
        server_(internal::live_backend(),
                {.local = std::move(local), .tcp = std::move(tcp), .token = std::move(token)}) {
    thread_ = internal::start_own_thread([this](const std::stop_token& stop) { server_.serve(stop); });
  }

  const std::string& path() const noexcept { return path_; }
  /// False in a child of fork, which has neither the thread nor the socket's name.
  bool is_of_this_process() const noexcept { return maker_ == ::getpid(); }

 private:
  pid_t maker_ = ::getpid();
  std::string path_;
  internal::ProgressPage progress_;
  internal::Server server_;
  std::jthread thread_;
};

Listener::Listener(ListenerOptions options) {
  internal::Fd tcp = listen_on_tcp(options);
  impl_ = std::make_unique<Impl>(listen_in_runtime_folder(), std::move(tcp), std::move(options.token));
}

ListenerOrError Listener::try_make(ListenerOptions options) try {
  try {
    return {.listener = std::make_unique<Listener>(std::move(options)), .error = std::nullopt};
  } catch (const Error& error) {
    return {.listener = nullptr, .error = error};
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {  // no thread, or a folder that cannot be read
    return {.listener = nullptr, .error = Error(ErrorCode::system, std::string("the listener: ") + error.what())};
  }
} catch (const std::bad_alloc&) {
  return {.listener = nullptr, .error = no_memory()};
}

Listener::~Listener() {
  if (!impl_->is_of_this_process()) static_cast<void>(impl_.release());  // left to the parent
}

const std::string& Listener::path() const noexcept { return impl_->path(); }

}  // namespace moult
