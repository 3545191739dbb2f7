#include "connection.hpp"

#include <sys/socket.h>

#include <array>

namespace key_value {
namespace {

constexpr std::size_t most_at_once = 65536;  // so that one client does not keep the others waiting

bool is_for_later() noexcept { return errno == EAGAIN || errno == EINTR; }

}  // namespace

bool Connection::serve(Database& database) {
  if (has_unsent()) return send();
  if (!receive()) return false;
  const bool goes_on = execute_all(database);
  return send() && goes_on;
}

bool Connection::receive() {
  std::array<char, most_at_once> bytes;
  const ssize_t count = ::recv(socket_.number(), bytes.data(), bytes.size(), 0);
  if (count > 0) input_.append(bytes.data(), static_cast<std::size_t>(count));
  return count > 0 || (count < 0 && is_for_later());
}

bool Connection::execute_all(Database& database) {
  std::string_view left = input_;
  bool is_malformed = false;
  for (;;) {
    const ParsedRequest parsed = parse_request(left);
    if (parsed.state == ParsedRequest::State::incomplete) break;
    if (parsed.state == ParsedRequest::State::malformed) {
      replies_.add_error(parsed.error);
      is_malformed = true;
      break;
    }
    if (!parsed.request.words.empty()) execute(database, parsed.request, replies_);
    left.remove_prefix(parsed.length);
  }
  input_.erase(0, input_.size() - left.size());
  return !is_malformed;
}

bool Connection::send() {
  while (has_unsent()) {
    const std::string_view left = std::string_view(replies_.bytes()).substr(sent_);
    const ssize_t count = ::send(socket_.number(), left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) return is_for_later();
    sent_ += static_cast<std::size_t>(count);
  }
  replies_.clear();
  sent_ = 0;
  return true;
}

}  // namespace key_value
