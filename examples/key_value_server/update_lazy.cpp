// Version 2, with each entry converted at its first use, and a thread that converts the rest meanwhile.
#include "version_2.hpp"

using key_value::Entry;
using key_value::Entry_v2;

MOULT_UPDATE {
  using Update = key_value::VersionUpdate<moult::LazyConversionUpdate<Entry, Entry_v2>>;
  const moult::ConversionOptions<Entry, Entry_v2> options{.inverse = key_value::ToVersion1()};
  moult::threaded_manager("versions")
      .add_update(std::make_unique<Update>("version 2", key_value::ToVersion2(), options, moult::Untouched::drained));
}
