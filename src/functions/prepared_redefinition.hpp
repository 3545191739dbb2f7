// A redefinition between its two halves: what it needs is read and checked, and nothing is changed yet.
#pragma once

#include "moult/detail/opaque.hpp"

namespace moult::internal {

/// Behind moult::PreparedRedefinition: functions, or a class.
class PreparedRedefinition : public detail::OpaquePreparedRedefinition {
 public:
  PreparedRedefinition() = default;
  virtual ~PreparedRedefinition() = default;
  PreparedRedefinition(const PreparedRedefinition&) = delete;
  PreparedRedefinition& operator=(const PreparedRedefinition&) = delete;

  /// In the stop of the current transaction, or else in a stop of its own. Throws Error as redefine_class does.
  virtual void make() = 0;
};

}  // namespace moult::internal
