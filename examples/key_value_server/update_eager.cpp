// Version 2, with all entries converted in the stop.
#include "version_2.hpp"

using key_value::Entry;
using key_value::Entry_v2;

MOULT_UPDATE {
  using Update = key_value::VersionUpdate<moult::EagerConversionUpdate<Entry, Entry_v2>>;
  const moult::ConversionOptions<Entry, Entry_v2> options{.transformers = moult::Transformers::concurrent,
                                                          .inverse = key_value::ToVersion1()};
  moult::threaded_manager("versions")
      .add_update(std::make_unique<Update>("version 2", key_value::ToVersion2(), options));
}
