// An update that is refused.
#pragma once

#include "moult/moult.hpp"

class Impossible final : public moult::Update {
 public:
  Impossible() : Update("impossible") {}
  void prepare() override { throw moult::Error(moult::ErrorCode::unsupported, "this cannot be done"); }
  void apply() override {}
};
