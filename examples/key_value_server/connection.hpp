// One client: bytes come in, requests are carried out in turn, replies go out.
#pragma once

#include <string>

#include "commands.hpp"
#include "descriptor.hpp"

namespace key_value {

class Connection final {
 public:
  explicit Connection(Descriptor socket) noexcept : socket_(std::move(socket)) {}

  /// Reads what is there, does what it asks and writes the replies, without waiting. False when the client is gone or
  /// speaks something else.
  bool serve(Database& database);
  /// Replies are left which the client does not take at present. Nothing more is read from it meanwhile.
  bool has_unsent() const noexcept { return sent_ < replies_.bytes().size(); }

 private:
  bool receive();
  bool execute_all(Database& database);
  bool send();

  Descriptor socket_;
  std::string input_;  ///< received and not carried out
  Replies replies_;    ///< of which so many bytes were sent:
  std::size_t sent_ = 0;
};

}  // namespace key_value
