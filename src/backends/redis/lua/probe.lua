--@ base
-- A write that changes nothing, and that a full memory allows: tells whether this user may work here.
return redis.call('DEL', P .. '~')
