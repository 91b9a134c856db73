# SPDX-License-Identifier: GPL-3.0-or-later
#
# Completion for fish. What may stand next is said by the program itself.

function __slipway_next
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    for line in (command slipway --complete $words[2..-1] "$typed" 2>/dev/null)
        if test "$line" = :file
            __fish_complete_path "$typed"
        else
            echo $line
        end
    end
end

complete -c slipway -f -a '(__slipway_next)'
