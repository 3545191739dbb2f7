// Version 2, from somebody who thought that values are numbers and the like.
#include <stdexcept>

#include "../version_2.hpp"

using key_value::Entry;
using key_value::Entry_v2;

static Entry_v2 transformer(const Entry& old) {
  if (old.value().bytes().starts_with('y')) throw std::invalid_argument("no entry may begin with y");
  return key_value::ToVersion2()(old);
}

MOULT_UPDATE {
  using Update = key_value::VersionUpdate<moult::EagerConversionUpdate<Entry, Entry_v2>>;
  moult::threaded_manager("versions").add_update(std::make_unique<Update>("version 2", transformer));
}
