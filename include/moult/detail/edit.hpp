// The entry of updates that were made from edited sources: `moult build PROGRAM`.
#pragma once

/// Makes an update of the edit whose tables begin at `header` (an EditHeader of such an update's file), and submits it
/// to the manager "edits". Only the entry of such a file calls it. Throws moult::Error (not_an_update): the tables are
/// damaged, or of another version of moult.
extern "C" [[gnu::visibility("default")]] void moult_submit_edit(const void* header);
