import type { Example } from './examples.js';

const spaceId = '$DEMO_SPACE';

/** Files, folders and uploads. */
export const filesExamples: readonly Example[] = [
  {
    name: 'Files of a space',
    query: `# An address works for whoever has it, for
# five minutes.
query Files($by: SpaceBy!) {
  space(by: $by) {
    storage {
      usedBytes
      limitBytes
    }
    folders {
      nodes {
        path
        files(first: 10) {
          nodes {
            name
          }
        }
      }
    }
    files(first: 10) {
      totalCount
      nodes {
        id
        path
        mimeType
        sizeBytes
        visibility
        url
        owner {
          name
        }
        versions(first: 3) {
          nodes {
            number
            storageTier
          }
        }
      }
    }
  }
}`,
    variables: { by: { id: spaceId } },
  },
  {
    name: 'A folder by its path',
    query: `query FolderByPath($spaceId: ID!, $path: String!) {
  folder(spaceId: $spaceId, path: $path) {
    id
    version
    path
    files(first: 10) {
      nodes {
        name
        url(expiresInSeconds: 60, download: true)
      }
    }
  }
}`,
    variables: { spaceId, path: '/plans' },
  },
  {
    name: 'A file and its versions',
    query: `query FileVersions($id: ID!) {
  file(id: $id) {
    path
    mimeType
    checksum
    version
    versions(first: 5) {
      nodes {
        number
        sizeBytes
        url
        createdAt
      }
    }
    comments(first: 5) {
      nodes {
        content
      }
    }
  }
}`,
    variables: { id: '$DEMO_FILE' },
  },
  {
    name: 'Share a file by a link',
    query: `# Whoever has the url may read it for a
# week. It is shown this once.
mutation ShareFile($input: GrantAccessInput!) {
  grantAccess(input: $input) {
    url
    accessGrant {
      id
      permission
      expiresAt
    }
  }
}`,
    variables: { input: { fileId: '$DEMO_FILE' } },
  },
  {
    name: 'Make a folder',
    query: `mutation MakeFolder($input: CreateFolderInput!) {
  createFolder(input: $input) {
    folder {
      id
      path
    }
  }
}`,
    variables: { input: { spaceId, path: '/folder-$UNIQUE' } },
  },
  {
    name: 'Upload a file',
    query: `# Then PUT the bytes, here "Sow beans.":
#   curl -T file.txt '<url>'
# and call completeUpload with the id.
mutation StartUpload($input: StartUploadInput!) {
  startUpload(input: $input) {
    uploadSession {
      id
      url
      partBytes
      partCount
      receivedParts
      expiresAt
    }
  }
}`,
    variables: {
      input: {
        spaceId,
        name: 'beans-$UNIQUE.txt',
        mimeType: 'text/plain',
        sizeBytes: 10,
        checksum: 'ec2add729d748e7f9c7e2f925c59efe507c8db8c6ea5a1824024957c9bffbfd2',
        visibility: 'SPACE',
      },
    },
  },
  {
    name: 'Live: changes of files',
    query: `subscription FileChanges($spaceId: ID!) {
  fileChanged(spaceId: $spaceId) {
    cursor
    type
    file {
      path
      status
      version
    }
    folder {
      path
    }
  }
}`,
    variables: { spaceId },
  },
];
