// A static function with the name of one in the program's other file.
[[gnu::noinline, gnu::used]] static int twin() { return 2; }
